/**
 * The conversation on the control socket, both ends: how the command line asks the running server.
 *
 * One JSON value a line. The server says hello with the version of what follows; then each line of
 * the client is `{"command": …, "arguments": {…}}`, and each answer is `{"result": …}` or
 * `{"error": sentence, "code": …}`, in order.
 *
 * Invariants: a request is at most REQUEST_BYTES_MAX octets, an answer ANSWER_BYTES_MAX; whoever
 * says nothing for IDLE_MS is left. Diagnostics: another version is told as such and nothing else
 * is read of it; what the server refuses is a ControlError with its sentence.
 */

import type { Duplex } from 'node:stream';
import { Fault } from '#domain/values/fault';
import type { Clock, Log } from '../ports.ts';

const CONTROL_VERSION = 1;
const REQUEST_BYTES_MAX = 1024 * 1024;
/** Lists of everything are long. */
const ANSWER_BYTES_MAX = 256 * 1024 * 1024;
const IDLE_MS = 30_000;
const LF = 10;

/** What a stream says of a server that was killed. */
const LOST: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE']);

/** Whoever asked cannot have it; the message is the sentence. */
export class ControlError extends Error {
  override readonly name = 'ControlError';
  readonly code: string;

  constructor(code: string, sentence: string) {
    // It may quote what was asked, and is one line whatever that is; nothing of it moves a cursor.
    super(sentence.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, '\ufffd'));
    this.code = code;
  }
}

/** Carries out a command; what it gives becomes JSON. Throws a ControlError, or a Fault. */
type ControlCommand = (fields: unknown) => Promise<unknown>;

export type ControlCommands = ReadonlyMap<string, ControlCommand>;

export interface ControlPorts {
  readonly clock: Clock;
  readonly log: Log;
}

/** The server's end of a conversation; resolves when it is over, and never rejects. */
export async function serveControl(
  stream: Duplex,
  commands: ControlCommands,
  { clock, log }: ControlPorts,
): Promise<void> {
  let cancel = clock.after(IDLE_MS, () => stream.destroy());
  stream.on('error', (err) => log.debug({ err }, 'control connection lost'));
  try {
    stream.write(lineOf({ daybook: 'control', version: CONTROL_VERSION }));
    for await (const line of linesOf(stream, REQUEST_BYTES_MAX)) {
      cancel();
      stream.write(lineOf(await answerTo(line, commands, log)));
      cancel = clock.after(IDLE_MS, () => stream.destroy());
    }
    stream.end();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    log.debug({ err: error }, 'control connection ended');
    stream.destroy();
  } finally {
    cancel();
  }
}

/** The whole conversation with whoever comes when `connectionsMax` others are served. */
export function turnAway(stream: Duplex, connectionsMax: number): void {
  const error = `The server answers ${connectionsMax} at a time: try again.`;
  stream.on('error', () => stream.destroy());
  // What it asks is read and thrown away: otherwise it might lose the answer.
  stream.resume();
  stream.write(lineOf({ daybook: 'control', version: CONTROL_VERSION }));
  stream.end(lineOf({ error, code: 'Busy' }));
}

async function answerTo(line: string, commands: ControlCommands, log: Log): Promise<object> {
  let command = '';
  try {
    const request = asRecord(JSON.parse(line));
    command = String(request?.['command']);
    const carryOut = commands.get(command);
    if (carryOut === undefined) {
      throw new ControlError('UnknownCommand', `The server does not know the command ${command}.`);
    }
    const result = await carryOut(request?.['arguments']);
    log.info({ command }, 'control command');
    return { result };
  } catch (error) {
    if (error instanceof ControlError || error instanceof Fault) {
      log.info({ command, code: error.code }, 'control command refused');
      return { error: error.message, code: error.code };
    }
    if (error instanceof SyntaxError) {
      return { error: 'The line is not JSON.', code: 'BadRequest' };
    }
    log.error({ command, err: error }, 'control command failed');
    return { error: 'The server failed; its log says why.', code: 'Failed' };
  }
}

/** The client's end, for one command; ends the conversation. Throws a ControlError. */
export async function askControl(
  stream: Duplex,
  command: string,
  fields: object,
): Promise<unknown> {
  const lines = linesOf(stream, ANSWER_BYTES_MAX);
  try {
    requireVersion(await nextValue(lines));
    stream.write(lineOf({ command, arguments: fields }));
    const answer = await nextValue(lines);
    if (typeof answer?.['error'] === 'string') {
      throw new ControlError(String(answer['code']), answer['error']);
    }
    return answer?.['result'];
  } catch (error) {
    const isLost = error instanceof Error && 'code' in error && LOST.has(String(error.code));
    throw isLost ? gone() : error;
  } finally {
    stream.destroy();
  }
}

function requireVersion(hello: Readonly<Record<string, unknown>> | undefined): void {
  if (hello?.['daybook'] !== 'control') throw notOurs();
  const version = hello['version'];
  if (version === CONTROL_VERSION) return;
  const sentence =
    `The server speaks version ${String(version)} of the control socket, ` +
    `this program version ${CONTROL_VERSION}: use the program that came with the server.`;
  throw new ControlError('WrongVersion', sentence);
}

/** Undefined when the line is JSON, but no object. */
async function nextValue(
  lines: AsyncGenerator<string, void>,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const { value, done } = await lines.next();
  if (done === true) throw gone();
  try {
    return asRecord(JSON.parse(value));
  } catch (error) {
    if (error instanceof SyntaxError) throw notOurs();
    throw error;
  }
}

function gone(): ControlError {
  return new ControlError('Gone', 'The server ended the conversation.');
}

function notOurs(): ControlError {
  return new ControlError('NotOurs', 'What answers on the control socket is not this server.');
}

function lineOf(value: object): string {
  return `${JSON.stringify(value)}\n`;
}

/** Ends with the stream; throws when a line is too long. */
async function* linesOf(stream: Duplex, bytesMax: number): AsyncGenerator<string, void> {
  let begun: Buffer[] = [];
  let bytes = 0;
  // Whoever has said all it has to say may still hear the answers.
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    let rest = chunk as Buffer;
    for (let end = rest.indexOf(LF); end >= 0; end = rest.indexOf(LF)) {
      yield Buffer.concat([...begun, rest.subarray(0, end)]).toString('utf8');
      rest = rest.subarray(end + 1);
      [begun, bytes] = [[], 0];
    }
    begun.push(rest);
    bytes += rest.length;
    if (bytes > bytesMax) throw new RangeError('the line is too long');
  }
}

export function asRecord(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined;
}
