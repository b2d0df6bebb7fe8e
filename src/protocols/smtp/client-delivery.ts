/**
 * Sending one message: transactions until every recipient has an answer.
 *
 * Invariants: each recipient gets exactly one result; a recipient is said to be delivered only when
 * the server took it and then the message; nothing is sent of a message that cannot be sent whole.
 *
 * RFC 5321 §3.3 (transactions), §4.5.3.1.10 (too many recipients), RFC 2920 §3.1 (pipelining),
 * RFC 9422 §4 (limits)
 */

import type { SmtpConversation } from './client-conversation.ts';
import { refused, SmtpClientError } from './client-error.ts';
import {
  mailCommand,
  objection,
  recipientCommand,
  utf8NotOffered,
  wireAddress,
  type Delivery,
  type Needs,
  type Recipient,
  type WireAddress,
} from './client-envelope.ts';
import type { Extensions } from './client-extensions.ts';
import { dotted, surveyed, type Survey } from './client-message.ts';
import { isDone, isRefusal, type SmtpReply } from './client-reply.ts';
import { SMTP_RECIPIENTS_MAX } from '../limits.ts';

export type RecipientResult =
  | {
      readonly type: 'delivered';
      readonly address: string;
      /** To the recipient, and to the message. */
      readonly taken: SmtpReply;
      readonly ended: SmtpReply;
    }
  | { readonly type: 'failed'; readonly address: string; readonly error: SmtpClientError };

export interface DeliveryResult {
  /** In the order in which they were given. */
  readonly recipients: readonly RecipientResult[];
  /**
   * What went wrong for the message as a whole, and is the error of every recipient that has none
   * of its own. Undefined when each was answered for itself.
   */
  readonly failure: SmtpClientError | undefined;
}

export interface DeliveryTimes {
  readonly replyMs: number;
  readonly endMs: number;
}

interface Waiting {
  readonly recipient: Recipient;
  readonly wire: WireAddress;
  result?: RecipientResult;
}

/** Never rejects for what the server does. */
export async function deliver(
  conversation: SmtpConversation,
  extensions: Extensions,
  delivery: Delivery,
  times: DeliveryTimes,
): Promise<DeliveryResult> {
  conversation.stage = 'mail';
  const entries = delivery.recipients.map((recipient) => entryFor(recipient));
  const open = entries.flatMap((entry) => ('wire' in entry ? [entry] : []));
  let failure: SmtpClientError | undefined;
  try {
    if (open.length > 0) {
      const reachable = reachableOf(open, extensions);
      const needs = await needsOf(conversation, delivery, reachable);
      const no = objection(delivery, needs, extensions);
      if (no !== undefined) throw no;
      await new Sending(conversation, extensions, delivery, needs, times).all(reachable);
      for (const one of open) one.result ??= unnamed(one);
    }
  } catch (error) {
    if (!(error instanceof SmtpClientError)) throw error;
    failure = error;
  }
  return { recipients: entries.map((entry) => resultOf(entry, failure)), failure };
}

type Entry = Waiting | { readonly result: RecipientResult };

function entryFor(recipient: Recipient): Entry {
  const wire = wireAddress(recipient.address);
  if (wire !== undefined) return { recipient, wire };
  const error = new SmtpClientError('BadArgument', 'The recipient is no mail address.', {
    stage: 'rcpt',
    enhanced: '5.1.3',
  });
  return { result: { type: 'failed', address: recipient.address, error } };
}

/** RFC 6531 §3.1 item 8: recipients that cannot be named there do not hinder the others. */
function reachableOf(open: readonly Waiting[], { words }: Extensions): readonly Waiting[] {
  const plain = open.filter(({ wire }) => !wire.needsSmtpUtf8);
  return words.has('SMTPUTF8') || plain.length === 0 ? open : plain;
}

function unnamed({ recipient }: Waiting): RecipientResult {
  return { type: 'failed', address: recipient.address, error: utf8NotOffered() };
}

function resultOf(entry: Entry, failure: SmtpClientError | undefined): RecipientResult {
  if (entry.result !== undefined) return entry.result;
  if (failure === undefined || !('recipient' in entry)) throw new Error('a recipient is forgotten');
  return { type: 'failed', address: entry.recipient.address, error: failure };
}

async function needsOf(
  conversation: SmtpConversation,
  delivery: Delivery,
  open: readonly Waiting[],
): Promise<Needs> {
  const survey = await surveyOf(conversation, delivery);
  const from = wireAddress(delivery.mailFrom);
  const smtpUtf8 =
    delivery.smtpUtf8 === true ||
    from?.needsSmtpUtf8 === true ||
    open.some(({ wire }) => wire.needsSmtpUtf8);
  return { survey, smtpUtf8, isSecure: conversation.wire.tls !== undefined };
}

async function surveyOf(conversation: SmtpConversation, delivery: Delivery): Promise<Survey> {
  try {
    return await surveyed(delivery, (work) => conversation.during(work));
  } catch (error) {
    throw callerFailed(conversation, error);
  }
}

function callerFailed(conversation: SmtpConversation, cause: unknown): SmtpClientError {
  if (cause instanceof SmtpClientError) return cause;
  return conversation.error('CallerFailed', 'The message could not be read.', { cause });
}

/** All transactions of one message. */
class Sending {
  readonly #conversation: SmtpConversation;
  readonly #extensions: Extensions;
  readonly #delivery: Delivery;
  readonly #needs: Needs;
  readonly #times: DeliveryTimes;
  readonly #mail: string;
  readonly #isPipelined: boolean;
  /** Said already, or (not pipelined) to be said one by one. */
  #unsaid: string[] = [];
  #recipientsMax: number;

  constructor(
    conversation: SmtpConversation,
    extensions: Extensions,
    delivery: Delivery,
    needs: Needs,
    times: DeliveryTimes,
  ) {
    this.#conversation = conversation;
    this.#extensions = extensions;
    this.#delivery = delivery;
    this.#needs = needs;
    this.#times = times;
    this.#mail = mailCommand(this.#from(), delivery, needs, extensions);
    this.#isPipelined = extensions.words.has('PIPELINING');
    this.#recipientsMax = Math.min(extensions.recipientsMax ?? Infinity, SMTP_RECIPIENTS_MAX);
  }

  async all(open: readonly Waiting[]): Promise<void> {
    let left = open;
    while (left.length > 0) {
      this.#needRoom();
      const group = left.slice(0, this.#recipientsMax);
      const tooMany = await this.#transaction(group);
      left = [...tooMany, ...left.slice(group.length)];
    }
  }

  /** RFC 9422 §4: transactions are counted from the greeting on, whatever comes of them. */
  #needRoom(): void {
    const { transactionsMax = Infinity } = this.#extensions;
    this.#conversation.stage = 'mail';
    if (this.#conversation.transactions < transactionsMax) return;
    const sentence = `The server takes no more than ${transactionsMax} over one connection.`;
    throw this.#conversation.error('LimitReached', sentence);
  }

  #from(): string {
    const { mailFrom } = this.#delivery;
    const address = mailFrom === '' ? { text: '' } : wireAddress(mailFrom);
    if (address !== undefined) return address.text;
    throw this.#conversation.error('BadArgument', 'The sender is no mail address.', {
      enhanced: '5.1.7',
    });
  }

  /** Gives those that were too many for it. Throws what concerns all that have no result then. */
  async #transaction(group: readonly Waiting[]): Promise<readonly Waiting[]> {
    const conversation = this.#conversation;
    const commands = group.map(({ wire, recipient }) =>
      recipientCommand(wire, recipient, this.#extensions),
    );
    const reset = conversation.isTransactionOpen ? ['RSET'] : [];
    conversation.transactions++;
    this.#begin([...reset, this.#mail, ...commands, 'DATA']);
    conversation.stage = 'mail';
    if (conversation.isTransactionOpen) this.#need(await this.#next(), isDone);
    conversation.isTransactionOpen = false;
    const mail = await this.#next();
    if (isRefusal(mail)) {
      const error = refused(mail, { stage: 'mail' });
      await this.#readRest(group.length, error);
      throw error;
    }
    this.#need(mail, isDone);
    conversation.isTransactionOpen = true;
    conversation.stage = 'rcpt';
    const taken = new Map<Waiting, SmtpReply>();
    const tooMany: Waiting[] = [];
    for (const [i, one] of group.entries()) {
      const reply = await this.#next();
      if (isDone(reply)) taken.set(one, reply);
      else if (isTooMany(reply) && taken.size > 0) {
        // The next transaction asks for no more than this one got; so there is an end to it.
        if (tooMany.length === 0) this.#recipientsMax = i;
        tooMany.push(one);
      } else one.result = this.#refusedRecipient(one, reply);
    }
    await this.#data(taken);
    return tooMany;
  }

  async #data(taken: ReadonlyMap<Waiting, SmtpReply>): Promise<void> {
    const conversation = this.#conversation;
    conversation.stage = 'data';
    if (taken.size === 0 && !this.#isPipelined) return;
    const go = await this.#next();
    if (isRefusal(go)) {
      if (taken.size === 0) return;
      throw refused(go, { stage: 'data' });
    }
    this.#need(go, ({ code }) => code === 354);
    conversation.isTransactionOpen = false;
    if (taken.size === 0) return this.#nothing();
    const ended = await this.#message();
    for (const [one, reply] of taken) {
      const { address } = one.recipient;
      one.result = { type: 'delivered', address, taken: reply, ended };
    }
  }

  /** RFC 2920 §3.1: the server waits for a message to nobody. */
  async #nothing(): Promise<void> {
    this.#conversation.send('.\r\n');
    await this.#conversation.reply(this.#times.endMs);
  }

  async #message(): Promise<SmtpReply> {
    const conversation = this.#conversation;
    const guard = <T>(work: Promise<T>): Promise<T> => conversation.during(work);
    try {
      for await (const { octets, isLast } of dotted(this.#delivery, this.#needs.survey, guard)) {
        if (conversation.hasHeard) await this.#interrupted();
        conversation.isMessageOut = isLast;
        conversation.send(octets);
        if (isLast) break;
        await conversation.untilTaken(this.#times.replyMs);
      }
    } catch (error) {
      // There is no way to take back what was sent but to go away.
      throw conversation.end(callerFailed(conversation, error));
    }
    conversation.stage = 'end';
    const reply = await conversation.reply(this.#times.endMs);
    if (isRefusal(reply)) {
      conversation.isMessageOut = false;
      throw refused(reply, { stage: 'end' });
    }
    this.#need(reply, isDone);
    conversation.isMessageOut = false;
    return reply;
  }

  /** The server says something although the message is not at its end: it does not want it. */
  async #interrupted(): Promise<never> {
    const conversation = this.#conversation;
    const reply = await conversation.reply(this.#times.replyMs);
    if (isRefusal(reply)) throw conversation.end(refused(reply, { stage: 'data' }));
    throw conversation.fail('BadReply', 'The server answered before the end of the message.');
  }

  #begin(commands: string[]): void {
    this.#unsaid = commands;
    if (!this.#isPipelined) return;
    this.#conversation.send(commands.map((line) => `${line}\r\n`).join(''));
  }

  async #next(): Promise<SmtpReply> {
    const line = this.#unsaid.shift();
    const { replyMs } = this.#times;
    if (this.#isPipelined || line === undefined) return await this.#conversation.reply(replyMs);
    return await this.#conversation.ask(line, replyMs);
  }

  /** The sender is refused; what was said behind it is answered all the same. */
  async #readRest(recipients: number, error: SmtpClientError): Promise<void> {
    if (!this.#isPipelined) return;
    try {
      for (let i = 0; i < recipients; i++) await this.#next();
      const go = await this.#next();
      if (go.code === 354) await this.#nothing();
    } catch (lost) {
      // It is the refusal that counts, not that the server did not stay afterwards.
      if (!(lost instanceof SmtpClientError)) throw lost;
      this.#conversation.end(error);
    }
  }

  #refusedRecipient({ recipient: { address } }: Waiting, reply: SmtpReply): RecipientResult {
    this.#need(reply, isRefusal);
    // RFC 5321 §4.5.3.1.10: 552 to RCPT means what 452 means.
    const permanent = reply.code >= 500 && reply.code !== 552;
    return { type: 'failed', address, error: refused(reply, { stage: 'rcpt', permanent }) };
  }

  /** A reply that cannot come here: we and the server do not talk about the same thing any more. */
  #need(reply: SmtpReply, isRight: (reply: SmtpReply) => boolean): void {
    if (isRight(reply)) return;
    const sentence = `The server answered ${reply.code} where that cannot be.`;
    throw this.#conversation.fail('BadReply', sentence);
  }
}

/** RFC 5321 §4.5.3.1.10; not when it is the recipient's own mailbox that is full. */
function isTooMany({ code, enhanced }: SmtpReply): boolean {
  return (code === 452 || code === 552) && !/^[45]\.2\./.test(enhanced);
}
