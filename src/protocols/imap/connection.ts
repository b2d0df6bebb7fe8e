/**
 * One conversation: a command is read, carried out and answered before the next one is read; only
 * messages that are uploaded one after the other overlap.
 *
 * Diagnostics: bad syntax is BAD, a refusal or a fault is NO, a broken assumption of ours is BYE
 * and the end of this conversation only. What a client must not do ends with BYE too.
 *
 * Invariants: every wait for the client has an end, by the clock; every wait for its taking our
 * octets too.
 *
 * RFC 9051 §5.4 (autologout), §5.5 (order of commands), §7.1.5 (BYE)
 */

import { Fault } from '#domain/values/fault';
import {
  IMAP_IDLE_MS_AFTER_LOGIN,
  IMAP_IDLE_MS_BEFORE_LOGIN,
  IMAP_WRITE_MS_AFTER_LOGIN,
  IMAP_WRITE_MS_BEFORE_LOGIN,
} from '../limits.ts';
import type { Wire } from '../ports.ts';
import { untilKeyRemoved } from '../sasl/client-key.ts';
import { KEY_MECHANISM } from '../sasl/login-record.ts';
import { SELECTED, type ImapCommand } from './commands/command.ts';
import { COMMANDS, NUMBERING_VERBS, SEQUENCE_VERBS } from './commands/index.ts';
import { greet } from './greeting.ts';
import { slowly } from './pace.ts';
import type { Received } from './overlap.ts';
import { BadSyntax, Parser } from './parser.ts';
import { CommandReader, LineTooLong, LiteralTooBig, StreamEnded, type Command } from './reader.ts';
import { tagged, taggedFault, taggedRefusal, untagged } from './reply.ts';
import {
  bad,
  no,
  Session,
  uidRequired,
  type ImapOptions,
  type ImapPorts,
  type Reply,
  type Shared,
} from './session.ts';
import { tell, tellWhile } from './telling.ts';
import { goAhead } from './upload.ts';
import { ReplyWriter } from './writer.ts';

const KEY_GONE = 'your TLS key lets nobody in any more';
/** How long a client may take to hang up after our BYE. */
const GOODBYE_MS = 2000;

export class Connection {
  readonly #session: Session;
  readonly #ports: ImapPorts;
  #heardAt: number;
  #stopIdleTimer: () => void = () => undefined;
  #isFirst = true;
  #wasKnown = false;
  #isSlow = false;
  #interrupted = false;
  #forgetKey: () => void = () => undefined;

  constructor(wire: Wire, ports: ImapPorts, options: ImapOptions, shared: Shared) {
    this.#ports = ports;
    this.#heardAt = ports.clock.now();
    const cid = ports.random.bytes(6).toString('hex');
    this.#session = new Session(ports, options, shared, cid, {
      wire,
      reader: this.#readerOf(wire),
      out: this.#writerOf(wire),
      attach: (next) => this.#attach(next),
      abandon: () => this.interrupt('you lag too far behind, please begin anew'),
      banish: () => this.interrupt('your account was removed', 'ALERT'),
    });
    this.#heedKey(wire);
  }

  /** The whole conversation; never rejects. */
  async run(): Promise<void> {
    const session = this.#session;
    const { remoteIp } = session.wire;
    const { rates } = this.#ports;
    const admitted = rates.admitConnection(remoteIp);
    session.log.info({ ip: remoteIp, tls: session.wire.tls?.version }, 'imap connection');
    try {
      if (!admitted) session.ending = { bye: 'too many connections from your address' };
      else if (!rates.mayLogin(remoteIp)) session.ending = { bye: 'too many failed logins' };
      else if (session.ending === undefined) await this.#converse();
    } catch (error) {
      this.#end(error);
    } finally {
      this.#stopIdleTimer();
      this.#forgetKey();
      await session.overlap.settled();
      await this.#hangUp();
      session.close();
      if (admitted) rates.releaseConnection(remoteIp);
      session.log.info({}, 'imap connection closed');
    }
  }

  /** Ends the conversation; a command that is being carried out is not answered any more. */
  interrupt(bye: string, code?: string): void {
    if (this.#interrupted) return;
    this.#interrupted = true;
    this.#session.ending ??= code === undefined ? { bye } : { bye, code };
    this.#session.reader.release();
    this.#session.wake();
  }

  destroy(): void {
    this.#session.wire.destroy();
  }

  async #converse(): Promise<void> {
    const session = this.#session;
    await greet(session);
    this.#watchIdleness(this.#idleMs);
    while (session.ending === undefined) {
      await session.beforeReading();
      const command = await this.#nextCommand();
      if (command === undefined) return;
      await this.#serve(command);
      this.#isFirst = false;
    }
  }

  async #nextCommand(): Promise<Command | undefined> {
    const session = this.#session;
    // RFC 5465 §3.1: whoever asked for news hears them between commands too.
    const tells = session.isWatching;
    if (tells) await session.overlap.settled();
    const reading = session.reader.readCommand();
    return tells ? tellWhile(reading, 'unasked', session) : reading;
  }

  async #serve(command: Command): Promise<void> {
    const session = this.#session;
    const parser = new Parser(command, { utf8: session.utf8 });
    let tag: string | undefined;
    try {
      tag = parser.tag();
      parser.space();
      session.tag = tag;
      const verb = parser.verb();
      const found = COMMANDS.get(verb);
      if (found === undefined) throw new BadSyntax('The command is not known.');
      const outcome = await this.#perform(verb, found, command, parser);
      if ('carryOut' in outcome) return this.#answerLater(tag, outcome);
      await session.overlap.settled();
      const news = NUMBERING_VERBS.has(verb) ? 'mailbox-without-removals' : 'mailbox';
      await this.#answer(tag, { news, ...outcome });
    } catch (error) {
      await session.overlap.settled();
      if (error instanceof BadSyntax) await this.#notUnderstood(tag, error, command);
      else if (error instanceof Fault && tag !== undefined) await this.#faulted(tag, error);
      else if (error instanceof LiteralTooBig && error.synchronizing && tag !== undefined) {
        // None of it was sent: the next line is a command again.
        await this.#answer(tag, { ...bad(error.message), code: 'TOOBIG' });
      } else throw error;
    }
  }

  async #perform(
    verb: string,
    entry: ImapCommand,
    command: Command,
    parser: Parser,
  ): Promise<Reply | Received<Reply>> {
    const session = this.#session;
    const { reader, overlap } = session;
    if ('receive' in entry) await overlap.room();
    else await overlap.settled();
    const misplaced = this.#misplaced(verb, entry);
    if (misplaced !== undefined) {
      await reader.discardRest(command);
      return misplaced;
    }
    if ('receive' in entry) return entry.receive(command, parser, session);
    if ('stream' in entry) return entry.stream(command, parser, session);
    await reader.complete(command, () => goAhead(session));
    return entry.prepare(parser, session)();
  }

  /** Why the command is not possible now. */
  #misplaced(verb: string, entry: ImapCommand): Reply | undefined {
    const session = this.#session;
    if (!entry.states.includes(session.state)) {
      return { ...no(whyNotNow(entry, session.state)), news: 'nothing' };
    }
    if (SEQUENCE_VERBS.has(verb) && session.has('UIDONLY')) return uidRequired();
    if (entry.states !== SELECTED || session.selected?.isGone !== true) return undefined;
    // RFC 9051 §6.4.1, §6.4.2: a mailbox that is gone can still be left.
    if (verb === 'CLOSE' || verb === 'UNSELECT') return undefined;
    return no('the mailbox was deleted', 'NONEXISTENT');
  }

  /** The news that are due, and the tagged line; not sent yet when `moreFollow`. */
  async #answer(tag: string, reply: Reply, moreFollow = false): Promise<void> {
    const session = this.#session;
    if (this.#interrupted) return;
    const { out } = session;
    await tell(reply.news ?? 'mailbox', session);
    out.line(
      reply.refusal === undefined
        ? tagged(tag, reply.status, reply.text, reply.code ?? this.#modSeqCode(reply))
        : taggedRefusal(tag, reply.refusal, session.utf8),
    );
    if (!moreFollow) await out.flush();
    this.#setPace();
    await reply.afterwards?.();
    this.#watchLogout();
    this.#heardAt = this.#ports.clock.now();
  }

  /** The modseq up to which the client has been told everything, that of the command at most. */
  #modSeqCode({ modSeq }: Reply): string | undefined {
    if (modSeq === undefined) return undefined;
    const reported = this.#session.selected?.reportedModSeq ?? modSeq;
    return `HIGHESTMODSEQ ${Math.min(modSeq, reported)}`;
  }

  /** Carries out and answers a command while the next one may be received. */
  #answerLater(tag: string, received: Received<Reply>): void {
    this.#session.overlap.add(received, async (reply, moreFollow) => {
      try {
        await this.#answer(tag, await reply, moreFollow);
      } catch (error) {
        if (error instanceof Fault) return this.#faulted(tag, error);
        this.#end(error);
        this.#interrupted = true;
        this.#session.reader.release();
      }
    });
  }

  async #notUnderstood(tag: string | undefined, error: BadSyntax, command: Command): Promise<void> {
    const session = this.#session;
    // Whoever does not begin with a command speaks something else (HTTP).
    if (this.#isFirst && session.state === 'not-authenticated' && !isCommand(command)) {
      session.ending = { bye: 'please try again, speaking IMAP' };
      return;
    }
    const { out } = session;
    out.line(
      tag === undefined ? untagged('BAD', error.message) : tagged(tag, 'BAD', error.message),
    );
    await out.flush();
    // RFC 7888 §4: the octets of a literal that we do not understand cannot be told from commands.
    const { open } = command;
    if (open !== undefined && !open.synchronizing) session.ending = {};
  }

  async #faulted(tag: string, fault: Fault): Promise<void> {
    const session = this.#session;
    session.log.warn({ code: fault.code, error: fault.message }, 'imap command failed');
    session.out.line(taggedFault(tag, fault));
    await session.out.flush();
  }

  /** An error that ends the conversation. */
  #end(error: unknown): void {
    const session = this.#session;
    if (error instanceof StreamEnded) session.ending ??= {};
    else if (error instanceof LineTooLong) session.ending ??= { bye: error.message };
    else if (error instanceof LiteralTooBig) {
      session.ending ??= { bye: error.message, code: 'ALERT' };
    } else {
      session.log.error({ error }, 'imap conversation failed');
      session.ending ??= { bye: 'an error of ours, please try again', code: 'SERVERBUG' };
    }
  }

  async #hangUp(): Promise<void> {
    const session = this.#session;
    const { out, wire } = session;
    if (session.ending?.bye !== undefined) {
      out.line(untagged('BYE', session.ending.bye, session.ending.code));
    }
    await out.flush();
    const { stream } = wire;
    if (stream.destroyed) return;
    session.reader.release();
    await new Promise<void>((resolve) => {
      const cancel = this.#ports.clock.after(GOODBYE_MS, resolve);
      stream.once('close', () => {
        cancel();
        resolve();
      });
      // What the client still sends is taken off the wire, or it would never see our BYE.
      stream.resume();
      stream.once('end', () => wire.destroy());
      stream.end(() => {
        if (stream.readableEnded) wire.destroy();
      });
    });
    wire.destroy();
  }

  #attach(wire: Wire): void {
    const session = this.#session;
    session.wire = wire;
    session.reader = this.#readerOf(wire);
    session.out = this.#writerOf(wire);
    this.#isSlow = false;
    this.#setPace();
    this.#heedKey(wire);
  }

  /** A TLS key that lets nobody in ends the conversation: at once, or when it is taken away. */
  #heedKey(wire: Wire): void {
    const key = wire.tls?.peerKey;
    if (key === undefined) return;
    this.#forgetKey();
    this.#forgetKey = untilKeyRemoved(key, this.#ports, () => this.interrupt(KEY_GONE, 'ALERT'));
    const outcome = this.#ports.logins.admitKey(key.fingerprint, '');
    if (outcome.type === 'ok') return;
    const result = outcome.type === 'wrong' ? 'badcreds' : 'logindisabled';
    this.#session.loginRecord.add({ mechanism: KEY_MECHANISM, login: '', result }, wire);
    const bye = outcome.type === 'wrong' ? KEY_GONE : outcome.reason;
    this.#session.ending = { bye, code: 'ALERT' };
  }

  #readerOf(wire: Wire): CommandReader {
    return new CommandReader(wire.stream, () => {
      this.#heardAt = this.#ports.clock.now();
    });
  }

  #writerOf(wire: Wire): ReplyWriter {
    return new ReplyWriter(wire.stream, () => {
      const cancel = this.#ports.clock.after(this.#writeMs, () => wire.destroy());
      return () => {
        cancel();
        this.#heardAt = this.#ports.clock.now();
      };
    });
  }

  /** RFC 9051 §11: guessing passwords is made slow. */
  #setPace(): void {
    const session = this.#session;
    const { isSlow } = session;
    if (isSlow === this.#isSlow) return;
    this.#isSlow = isSlow;
    session.out = isSlow
      ? new ReplyWriter(slowly(session.wire.stream, this.#ports.clock))
      : this.#writerOf(session.wire);
  }

  #watchIdleness(ms: number): void {
    this.#stopIdleTimer = this.#ports.clock.after(ms, () => {
      // Who waits for us is not idle.
      if (!this.#session.reader.isWaiting) this.#heardAt = this.#ports.clock.now();
      const left = this.#idleMs - (this.#ports.clock.now() - this.#heardAt);
      if (left > 0) this.#watchIdleness(left);
      else this.interrupt('inactive for too long');
    });
  }

  /** RFC 8437 §3: who is not logged in any more has as little time as before. */
  #watchLogout(): void {
    const isKnown = this.#session.state !== 'not-authenticated';
    if (this.#wasKnown && !isKnown) {
      this.#stopIdleTimer();
      this.#watchIdleness(this.#idleMs);
    }
    this.#wasKnown = isKnown;
  }

  get #idleMs(): number {
    const isKnown = this.#session.state !== 'not-authenticated';
    return isKnown ? IMAP_IDLE_MS_AFTER_LOGIN : IMAP_IDLE_MS_BEFORE_LOGIN;
  }

  get #writeMs(): number {
    const isKnown = this.#session.state !== 'not-authenticated';
    return isKnown ? IMAP_WRITE_MS_AFTER_LOGIN : IMAP_WRITE_MS_BEFORE_LOGIN;
  }
}

function whyNotNow({ states }: ImapCommand, state: Session['state']): string {
  if (state === 'not-authenticated') return 'please log in first';
  return states.includes('not-authenticated')
    ? 'you are logged in already'
    : 'no mailbox is selected';
}

/** True when tag and verb of the command are those of IMAP. */
function isCommand(command: Command): boolean {
  const words = command.lines[0]?.split(' ') ?? [];
  const verb = words[1]?.toUpperCase() ?? '';
  return COMMANDS.has(verb === 'UID' ? `UID ${words[2]?.toUpperCase() ?? ''}` : verb);
}
