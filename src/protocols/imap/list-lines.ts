/**
 * LIST lines: as answers, and as news of what other sessions did to mailboxes.
 *
 * RFC 9051 §7.3.1, RFC 5258 §3 (extended data)
 */

import type { AccountFact } from '#domain/log/streams';
import type { AccountViews } from '#projections/account-views';
import { mailboxName } from './writer.ts';

export interface NameModes {
  readonly utf8: boolean;
  /** RFC 9051 §6.3.9.7: the client knows \NonExistent and OLDNAME. */
  readonly rev2: boolean;
}

/** One line with its CRLF; `extended` are data behind the name. */
export function listLine(
  attributes: readonly string[],
  name: string,
  utf8: boolean,
  extended?: string,
): string {
  const behind = extended === undefined ? '' : ` (${extended})`;
  return `* LIST (${attributes.join(' ')}) "/" ${mailboxName(name, utf8)}${behind}\r\n`;
}

/** RFC 5258 §3: under which name a mailbox stood until now. */
export function renamedLine(from: string, to: string, modes: NameModes): string {
  const oldName = `"OLDNAME" (${mailboxName(from, modes.utf8)})`;
  return listLine([], to, modes.utf8, modes.rev2 ? oldName : undefined);
}

/** What a client that keeps a list of mailboxes learns from these facts. */
export function namesText(
  facts: readonly AccountFact[],
  views: AccountViews,
  modes: NameModes,
): string {
  let text = '';
  for (const { event } of facts) {
    switch (event.type) {
      case 'MailboxesCreated':
        for (const { name } of event.mailboxes) {
          text += listLine(['\\Subscribed'], name, modes.utf8);
        }
        break;
      case 'MailboxesRenamed':
        for (const { name } of event.created) text += listLine([], name, modes.utf8);
        for (const { from, to } of event.renames) text += renamedLine(from, to, modes);
        break;
      case 'MailboxDeleted':
        if (modes.rev2) text += listLine(['\\NonExistent'], event.name, modes.utf8);
        break;
      case 'MailboxSubscribed': {
        const exists = views.mailboxNamed(event.name) !== undefined;
        const attributes = exists ? ['\\Subscribed'] : ['\\Subscribed', '\\NonExistent'];
        text += listLine(attributes, event.name, modes.utf8);
        break;
      }
      case 'MailboxUnsubscribed':
        text += listLine([], event.name, modes.utf8);
        break;
      default:
        break;
    }
  }
  return text;
}
