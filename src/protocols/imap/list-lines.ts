/**
 * LIST and METADATA lines: as answers, and as news of what other sessions did to mailboxes.
 *
 * RFC 9051 §7.3.1, RFC 5258 §3 (extended data), RFC 5464 §4.4.2 (METADATA without values)
 */

import type { AccountFact } from '#domain/log/streams';
import type {
  AnnotationsSet,
  MailboxesCreated,
  MailboxesRenamed,
  NewMailbox,
} from '#domain/mailbox/events';
import type { MailboxId } from '#domain/values/ids';
import type { MailboxSummary } from '#projections/account-views';
import type { NotifyEvent } from './words.ts';
import { astring, mailboxName } from './writer.ts';

/** What there is, for lines about changes. */
export interface Names {
  summary(mailboxId: MailboxId): MailboxSummary | undefined;
  isSubscribed(name: string): boolean;
  exists(name: string): boolean;
}

export interface NameModes {
  readonly utf8: boolean;
  /** RFC 9051 §6.3.9.7, RFC 5465 §5.4: the client knows \NonExistent and OLDNAME. */
  readonly tellsChanges: boolean;
  /** The client wants to hear of one of these events of a mailbox. */
  readonly wants: (name: string, ...events: readonly NotifyEvent[]) => boolean;
  /** It wants to hear of annotations of the account. */
  readonly wantsAccount: boolean;
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
export function renamedLine(
  from: string,
  to: string,
  modes: Pick<NameModes, 'utf8' | 'tellsChanges'>,
  attributes: readonly string[] = [],
): string {
  const oldName = `"OLDNAME" (${mailboxName(from, modes.utf8)})`;
  return listLine(attributes, to, modes.utf8, modes.tellsChanges ? oldName : undefined);
}

/** What a client that keeps a list of mailboxes learns from these facts. */
export function namesText(facts: readonly AccountFact[], names: Names, modes: NameModes): string {
  let text = '';
  for (const { event } of facts) {
    switch (event.type) {
      case 'MailboxesCreated':
        text += createdText(event.mailboxes, modes) + takenText(event, names, modes);
        break;
      case 'MailboxesRenamed':
        text += createdText(event.created, modes) + renamedText(event, names, modes);
        break;
      case 'MailboxDeleted':
        if (modes.tellsChanges && modes.wants(event.name, 'MailboxName')) {
          text += listLine(['\\NonExistent'], event.name, modes.utf8);
        }
        break;
      case 'MailboxSubscribed':
      case 'MailboxUnsubscribed': {
        if (!modes.wants(event.name, 'SubscriptionChange')) break;
        const attributes = event.type === 'MailboxSubscribed' ? ['\\Subscribed'] : [];
        if (!names.exists(event.name)) attributes.push('\\NonExistent');
        text += listLine(attributes, event.name, modes.utf8);
        break;
      }
      case 'AnnotationsSet':
        text += annotatedText(event, names, modes);
        break;
      default:
        break;
    }
  }
  return text;
}

/** Who is created is subscribed. */
function createdText(created: readonly NewMailbox[], modes: NameModes): string {
  let text = '';
  for (const { name, specialUse } of created) {
    if (!modes.wants(name, 'MailboxName', 'SubscriptionChange')) continue;
    const attributes = ['\\Subscribed', ...(specialUse === undefined ? [] : [specialUse])];
    text += listLine(attributes, name, modes.utf8);
  }
  return text;
}

/** RFC 6154 §5.1: the mailbox that lost its special use. */
function takenText(event: MailboxesCreated, names: Names, modes: NameModes): string {
  const loser =
    event.specialUseTakenFrom === undefined ? undefined : names.summary(event.specialUseTakenFrom);
  if (loser === undefined || !modes.wants(loser.name, 'MailboxName')) return '';
  return listLine(attributesOf(loser, names), loser.name, modes.utf8);
}

function renamedText(event: MailboxesRenamed, names: Names, modes: NameModes): string {
  let text = '';
  for (const { mailboxId, from, to } of event.renames) {
    if (!modes.wants(to, 'MailboxName') && !modes.wants(from, 'MailboxName')) continue;
    const mailbox = names.summary(mailboxId);
    const attributes = mailbox?.name === to ? attributesOf(mailbox, names) : [];
    text += renamedLine(from, to, modes, attributes);
  }
  return text;
}

/** Which annotations were set; a mailbox that is gone meanwhile has none. */
function annotatedText(event: AnnotationsSet, names: Names, modes: NameModes): string {
  let name = '';
  if (event.mailboxId === undefined) {
    if (!modes.wantsAccount) return '';
  } else {
    const mailbox = names.summary(event.mailboxId);
    if (mailbox === undefined || !modes.wants(mailbox.name, 'MailboxMetadataChange')) return '';
    name = mailbox.name;
  }
  const entries = event.entries.map((entry) => astring(entry.name)).join(' ');
  return `* METADATA ${mailboxName(name, modes.utf8)} ${entries}\r\n`;
}

function attributesOf({ name, specialUse }: MailboxSummary, names: Names): readonly string[] {
  const subscribed = names.isSubscribed(name) ? ['\\Subscribed'] : [];
  return specialUse === undefined ? subscribed : [...subscribed, specialUse];
}
