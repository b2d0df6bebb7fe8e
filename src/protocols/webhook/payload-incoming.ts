/**
 * The body of a webhook call about mail that came in: what the message says, how it came, and where
 * it is now.
 *
 * Invariants: names and their order are those that receivers know; lists and maps are never null, a
 * date that nobody can read is. What a message holds besides its texts is not in it.
 */

import type { Buffer } from 'node:buffer';
import { domainToASCII, domainToUnicode } from 'node:url';
import { displayAddress, parseAddress } from '#domain/values/address';
import type { Instant, MessageId } from '#domain/values/ids';
import { parseDate } from '../message/date.ts';
import { decodeWords, valueOf, type Header } from '../message/header.ts';
import { namedAddresses, type NamedAddress } from '../message/named-addresses.ts';
import { partTree, type PartTree } from '../message/part-tree.ts';
import { readStructure, type Part } from '../message/part.ts';
import { readableTexts } from '../message/readable-texts.ts';
import { formatHookJson } from './json.ts';

/** What the account knows of a message that came in. */
export interface IncomingMail {
  readonly messageId: MessageId;
  /** '' is the null reverse-path. */
  readonly mailFrom: string;
  readonly mailFromValidated: boolean;
  readonly msgFromValidated: boolean;
  readonly rcptTo: string;
  readonly dkimDomains: readonly string[];
  readonly ip: string;
  readonly receivedAt: Instant;
  /** Name of the mailbox that it went to. */
  readonly mailbox: string;
}

interface IncomingPayload {
  readonly Version: 0;
  readonly From: readonly NamedAddress[];
  readonly To: readonly NamedAddress[];
  readonly CC: readonly NamedAddress[];
  readonly BCC: readonly NamedAddress[];
  readonly ReplyTo: readonly NamedAddress[];
  readonly Subject: string;
  /** With angle brackets, like the ones below; '' where there is none. */
  readonly MessageID: string;
  readonly InReplyTo: string;
  readonly References: readonly string[];
  readonly Date: string | null;
  readonly Text: string;
  readonly HTML: string;
  readonly Structure: PartTree;
  readonly Meta: {
    readonly MsgID: number;
    readonly MailFrom: string;
    readonly MailFromValidated: boolean;
    readonly MsgFromValidated: boolean;
    readonly RcptTo: string;
    readonly DKIMVerifiedDomains: readonly string[];
    readonly RemoteIP: string;
    readonly Received: string;
    readonly MailboxName: string;
    readonly Automated: boolean;
  };
}

/** `message` is all of it, with what was put before it here. */
export function incomingPayload(message: Buffer, mail: IncomingMail): string {
  const structure = readStructure(message);
  const { header } = structure;
  const { text, html } = readableTexts(message, structure);
  const date = parseDate(valueOf(header, 'date') ?? '');
  const payload: IncomingPayload = {
    Version: 0,
    From: namedAddresses(header, 'from'),
    To: namedAddresses(header, 'to'),
    CC: namedAddresses(header, 'cc'),
    BCC: namedAddresses(header, 'bcc'),
    ReplyTo: namedAddresses(header, 'reply-to'),
    Subject: decodeWords(valueOf(header, 'subject') ?? ''),
    MessageID: headerIdIn(valueOf(header, 'message-id')),
    InReplyTo: headerIdIn(valueOf(header, 'in-reply-to')),
    References: referencesIn(header),
    Date: date === undefined ? null : new Date(date.at).toISOString(),
    Text: text,
    HTML: html,
    Structure: partTree(message, structure),
    Meta: {
      MsgID: mail.messageId,
      MailFrom: shownAddress(mail.mailFrom),
      MailFromValidated: mail.mailFromValidated,
      MsgFromValidated: mail.msgFromValidated,
      RcptTo: shownAddress(mail.rcptTo),
      DKIMVerifiedDomains: mail.dkimDomains,
      RemoteIP: mail.ip,
      Received: new Date(mail.receivedAt).toISOString(),
      MailboxName: mail.mailbox,
      Automated: isAutomated(structure, mail.mailFrom),
    },
  };
  return formatHookJson(payload);
}

/** With its domain in Unicode. */
function shownAddress(text: string): string {
  const address = parseAddress(text, domainToASCII);
  return address === undefined ? text : displayAddress(address, domainToUnicode);
}

/** RFC 5322 §3.6.4: the first id of a field. Without brackets it is told as it stands, in some. */
function headerIdIn(value: string | undefined): string {
  if (value === undefined || value === '') return '';
  const [, bracketed] = /<([^<>]+)>/.exec(value) ?? [];
  return `<${decodeWords(bracketed ?? value).replace(/[\s<>]+/g, '')}>`;
}

const REFERENCES_CHARS_MAX: number = 32 * 1024;

/** In lower case and without white space: what can be compared. What is no id is left out. */
function referencesIn(header: Header): readonly string[] {
  const value = (valueOf(header, 'references') ?? '').slice(0, REFERENCES_CHARS_MAX);
  return Array.from(value.matchAll(/<([^<>]+)>/g), ([, id = '']) =>
    decodeWords(id).replace(/\s+/g, '').toLowerCase(),
  )
    .filter((id) => /^[^@]+@[^@]+$/.test(id))
    .map((id) => `<${id}>`);
}

/** What lists and programs write about themselves. */
const AUTOMATED = ['list-id', 'list-unsubscribe', 'list-unsubscribe-post', 'precedence'] as const;

/** True for mail that programs sent: answers would go nowhere, or in circles. */
function isAutomated({ header, contentType }: Part, mailFrom: string): boolean {
  if (mailFrom === '') return true;
  if (AUTOMATED.some((name) => (valueOf(header, name) ?? '') !== '')) return true;
  // RFC 3834 §5
  const [submitted = ''] = (valueOf(header, 'auto-submitted') ?? '').split(/[\s;(]/);
  if (submitted !== '' && submitted.toLowerCase() !== 'no') return true;
  return contentType.type === 'multipart' && contentType.subtype === 'report';
}
