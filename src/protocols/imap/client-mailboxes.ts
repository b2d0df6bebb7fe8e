/**
 * Commands about mailboxes as a whole: LIST, STATUS, CREATE and the others.
 *
 * RFC 9051 §6.3, RFC 5258 (LIST-EXTENDED), RFC 5819 (LIST-STATUS), RFC 6154 §3 (USE)
 */

import type { Conversation } from './client-conversation.ts';
import { ImapClientError } from './client-error.ts';
import { Gathered } from './client-gathered.ts';
import { CommandLine } from './client-line.ts';
import type { ListedMailbox, StatusValues } from './client-words.ts';
import type { StatusItem } from './words.ts';

export interface ListOptions {
  /** In front of every pattern. */
  readonly reference?: string;
  /** `*` is anything, `%` anything within one level; several need LIST-EXTENDED. */
  readonly patterns?: readonly string[];
  /** RFC 5258 §3.1: only mailboxes with these. */
  readonly select?: readonly ('SUBSCRIBED' | 'REMOTE' | 'RECURSIVEMATCH' | 'SPECIAL-USE')[];
  /** RFC 5258 §3.2: what else to tell of each. */
  readonly returns?: readonly ('SUBSCRIBED' | 'CHILDREN' | 'SPECIAL-USE')[];
  /** RFC 5819 §2: the STATUS of each. */
  readonly status?: readonly StatusItem[];
  readonly signal?: AbortSignal;
}

export interface MailboxEntry extends ListedMailbox {
  /** Undefined when not asked for, and for names that cannot be selected. */
  readonly status?: StatusValues;
}

export async function list(
  conversation: Conversation,
  options: ListOptions = {},
): Promise<readonly MailboxEntry[]> {
  const entries = new Gathered<ListedMailbox>(conversation);
  const statuses = new Map<string, StatusValues>();
  await conversation.run(
    {
      line: listLine(conversation, options),
      takes: ['list', 'mailbox-status'],
      take(news) {
        if (news.type === 'list') entries.add(news);
        else if (news.type === 'mailbox-status' && statuses.size <= conversation.resultsMax) {
          statuses.set(news.mailbox, news.values);
        } else return false;
        return true;
      },
    },
    options.signal,
  );
  return entries.items.map(({ name, attributes, separator, childInfo }) => {
    const status = statuses.get(name);
    return { name, attributes, separator, childInfo, ...(status !== undefined && { status }) };
  });
}

function listLine(conversation: Conversation, options: ListOptions): CommandLine {
  const { reference = '', patterns = ['*'], select = [], returns = [], status = [] } = options;
  const isExtended = select.length + returns.length + status.length > 0 || patterns.length !== 1;
  if (isExtended) requires(conversation, 'LIST-EXTENDED');
  if (status.length > 0) requires(conversation, 'LIST-STATUS');
  const { utf8 } = conversation;
  const line = new CommandLine('LIST');
  if (select.length > 0) line.atoms(select);
  line
    .put(' ')
    .mailbox(reference, utf8)
    .put(isExtended ? ' (' : ' ');
  for (const [i, pattern] of patterns.entries()) {
    if (i > 0) line.put(' ');
    line.mailbox(pattern, utf8);
  }
  if (isExtended) line.put(')');
  if (returns.length + status.length === 0) return line;
  const words: string[] = [...returns];
  if (status.length > 0) words.push(`STATUS (${status.join(' ')})`);
  return line.put(` RETURN (${words.join(' ')})`);
}

/** RFC 9051 §E: all of these are part of IMAP4rev2. */
function requires(conversation: Conversation, capability: string): void {
  const { capabilities } = conversation;
  if (capabilities.has(capability) || capabilities.has('IMAP4REV2')) return;
  throw new ImapClientError('NotOffered', `The server does not offer ${capability}.`);
}

export async function status(
  conversation: Conversation,
  mailbox: string,
  items: readonly StatusItem[],
  signal?: AbortSignal,
): Promise<StatusValues> {
  let values: StatusValues = {};
  await conversation.run(
    {
      line: new CommandLine('STATUS').put(' ').mailbox(mailbox, conversation.utf8).atoms(items),
      takes: ['mailbox-status'],
      take(news) {
        if (news.type !== 'mailbox-status') return false;
        values = news.values;
        return true;
      },
    },
    signal,
  );
  return values;
}

export interface CreateOptions {
  /** RFC 6154 §3: `\Sent` and the like. */
  readonly uses?: readonly string[];
  readonly signal?: AbortSignal;
}

export async function create(
  conversation: Conversation,
  mailbox: string,
  { uses = [], signal }: CreateOptions = {},
): Promise<void> {
  const line = new CommandLine('CREATE').put(' ').mailbox(mailbox, conversation.utf8);
  if (uses.length > 0) line.put(' (USE').atoms(uses).put(')');
  await conversation.run({ line }, signal);
}

/** DELETE, SUBSCRIBE, UNSUBSCRIBE; RENAME with two names. */
export async function aboutMailboxes(
  conversation: Conversation,
  verb: 'DELETE' | 'RENAME' | 'SUBSCRIBE' | 'UNSUBSCRIBE',
  mailboxes: readonly string[],
  signal?: AbortSignal,
): Promise<void> {
  const line = new CommandLine(verb);
  for (const mailbox of mailboxes) line.put(' ').mailbox(mailbox, conversation.utf8);
  await conversation.run({ line }, signal);
}
