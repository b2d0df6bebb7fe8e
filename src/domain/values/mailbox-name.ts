/**
 * Names of mailboxes: hierarchy, the spelling of Inbox, what is forbidden, parents.
 *
 * A canonical name is in NFC, has no empty component, begins with `Inbox` wherever a client wrote
 * `inbox` in any case, and is what events, views and commands compare octet by octet.
 *
 * RFC 9051 §5.1: INBOX is case-insensitive, other names are ours to rule.
 */

import { utf8Length } from './text.ts';

export const HIERARCHY_SEPARATOR = '/';
export const INBOX = 'Inbox';
export const MAILBOX_NAME_BYTES_MAX = 500;

// C0 and C1 control characters, DEL, and the line and paragraph separators.
const FORBIDDEN_CHARACTERS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;
const FORBIDDEN_COMPONENTS: ReadonlySet<string> = new Set(['', '.', '..']);

/** The canonical form of a name, or undefined when no mailbox can have it. */
export function canonicalMailboxName(text: string): string | undefined {
  const slash = text.indexOf(HIERARCHY_SEPARATOR);
  const first = slash < 0 ? text : text.slice(0, slash);
  const name = /^inbox$/i.test(first) ? INBOX + text.slice(first.length) : text;
  return isMailboxName(name) ? name : undefined;
}

/**
 * As canonicalMailboxName, for CREATE: RFC 9051 §6.3.4 has clients put the separator behind a name
 * to say that they will make children; names of ours may always have children.
 */
export function newMailboxName(text: string): string | undefined {
  const name = text.endsWith(HIERARCHY_SEPARATOR) ? text.slice(0, -1) : text;
  return canonicalMailboxName(name);
}

function isMailboxName(name: string): boolean {
  return (
    name.isWellFormed() &&
    name.normalize('NFC') === name &&
    // RFC 9051 §5.1.2.1: a leading # is a namespace of its own.
    !name.startsWith('#') &&
    !FORBIDDEN_CHARACTERS.test(name) &&
    utf8Length(name) <= MAILBOX_NAME_BYTES_MAX &&
    name.split(HIERARCHY_SEPARATOR).every((component) => !FORBIDDEN_COMPONENTS.has(component))
  );
}

/** `a`, `a/b` for `a/b/c`. */
export function parentNames(name: string): readonly string[] {
  const parents: string[] = [];
  let slash = name.indexOf(HIERARCHY_SEPARATOR);
  while (slash >= 0) {
    parents.push(name.slice(0, slash));
    slash = name.indexOf(HIERARCHY_SEPARATOR, slash + 1);
  }
  return parents;
}

/** True for children of `ancestor`, their children and so on. */
export function isBelow(name: string, ancestor: string): boolean {
  return name.startsWith(ancestor + HIERARCHY_SEPARATOR);
}
