/**
 * Transcripts: conversations written down as they must go, run against a server.
 *
 * A file begins with settings, `name: value` each, up to an empty line: `about` and `items` say
 * what it is for, the others are for whoever sets the stage. Then, line by line:
 *
 *     C: text        the client of session 1 sends the line; C2: is session 2, and so on
 *     C!: text       the same octets without a line end; \r \n \0 \\ are escapes
 *     S: text        the next line that session 1 receives
 *     S~: text       a line that it receives later; what comes before is passed over
 *     S: (end)       the server has closed the connection
 *     open 2 plain   opens session 2, not logged in; `plain` without TLS, `tls` with it; `tls:key`
 *                    shows a TLS key of that name, `tls:key:resumed` did so in an earlier handshake
 *     wait 30        time goes on by so many seconds
 *     check <n> > <H>  the comparison of two numbers (< <= = != > >=; ` + 1` may stand behind one)
 *     # text         a comment
 *
 * In a text `…` stands for anything, and `<name>` for a value: what it is when it is first
 * received, that it must be from then on. Sent lines may name values too. A session that is first
 * named in a C line is opened and logged in. At the end each open session logs out, and nothing
 * may come but the answer to that.
 */

import assert from 'node:assert/strict';
import type { LineClient } from './line-client.ts';

export interface Transcript {
  readonly settings: ReadonlyMap<string, string>;
  readonly steps: readonly Step[];
}

export type Step = { readonly line: number } & (
  | { readonly type: 'send'; readonly session: string; readonly text: string }
  | { readonly type: 'send-raw'; readonly session: string; readonly text: string }
  | { readonly type: 'expect'; readonly session: string; readonly text: string }
  | { readonly type: 'expect-later'; readonly session: string; readonly text: string }
  | { readonly type: 'expect-end'; readonly session: string }
  | { readonly type: 'open'; readonly session: string; readonly how: string }
  | { readonly type: 'wait'; readonly seconds: number }
  | { readonly type: 'check'; readonly left: string; readonly sign: string; readonly right: string }
);

/** What a transcript runs against. */
export interface Stage {
  /** A new connection; `how` is `plain` or `tls`, and what TLS key is shown. */
  connect(how: string): LineClient;
  /** What a fresh session says before the transcript goes on; each line is answered by OK. */
  readonly greeting: readonly string[];
  /** Says goodbye; the lines that must come then. */
  readonly goodbye: { readonly send: string; readonly expect: readonly string[] };
  /** Values that are known from the start. */
  readonly values: ReadonlyMap<string, string>;
  /** Time goes on. */
  advance(seconds: number): Promise<void>;
}

export function parseTranscript(text: string): Transcript {
  const settings = new Map<string, string>();
  const steps: Step[] = [];
  let inSettings = true;
  for (const [i, raw] of text.split('\n').entries()) {
    const line = i + 1;
    if (raw.startsWith('#')) continue;
    if (raw.trim() === '') {
      if (settings.size > 0) inSettings = false;
      continue;
    }
    const setting = inSettings ? /^([a-z]+): ?(.*)$/.exec(raw) : null;
    if (setting !== null) settings.set(setting[1] ?? '', setting[2] ?? '');
    else {
      inSettings = false;
      steps.push({ line, ...stepOf(raw, line) });
    }
  }
  return { settings, steps };
}

type Bare<S> = S extends Step ? Omit<S, 'line'> : never;

function stepOf(raw: string, line: number): Bare<Step> {
  const said = /^([CS])(\d*)([!~]?):(?: (.*))?$/.exec(raw);
  if (said !== null) {
    const [, who, number = '', mark, text = ''] = said;
    const session = number === '' ? '1' : number;
    if (who === 'C') return { type: mark === '!' ? 'send-raw' : 'send', session, text };
    if (text === '(end)') return { type: 'expect-end', session };
    return { type: mark === '~' ? 'expect-later' : 'expect', session, text };
  }
  const open = /^open (\d+) ([\w:]+)$/.exec(raw);
  if (open !== null) return { type: 'open', session: open[1] ?? '', how: open[2] ?? '' };
  const wait = /^wait (\d+)$/.exec(raw);
  if (wait !== null) return { type: 'wait', seconds: Number(wait[1]) };
  const check = /^check (.+?) (<|<=|=|!=|>|>=) (.+)$/.exec(raw);
  if (check !== null) {
    return { type: 'check', left: check[1] ?? '', sign: check[2] ?? '', right: check[3] ?? '' };
  }
  throw new Error(`line ${line} is no line of a transcript: ${raw}`);
}

export async function runTranscript(transcript: Transcript, stage: Stage): Promise<void> {
  const run = new Run(stage);
  for (const step of transcript.steps) {
    try {
      await run.step(step);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      assert.fail(`line ${step.line}: ${reason}`);
    }
  }
  await run.end();
}

class Run {
  readonly #stage: Stage;
  readonly #values: Map<string, string>;
  readonly #sessions = new Map<string, LineClient>();
  readonly #ended = new Set<string>();

  constructor(stage: Stage) {
    this.#stage = stage;
    this.#values = new Map(stage.values);
  }

  async step(step: Step): Promise<void> {
    switch (step.type) {
      case 'open':
        this.#sessions.set(step.session, this.#stage.connect(step.how));
        return;
      case 'send':
        return (await this.#session(step.session)).send(`${this.#filled(step.text)}\r\n`);
      case 'send-raw':
        return (await this.#session(step.session)).send(unescaped(this.#filled(step.text)));
      case 'expect':
      case 'expect-later':
        return this.#expect(step.session, step.text, step.type === 'expect-later');
      case 'expect-end': {
        const line = await (await this.#session(step.session)).line();
        assert.equal(line, undefined, `expected the end, but came: ${line}`);
        this.#ended.add(step.session);
        return;
      }
      case 'wait':
        return this.#stage.advance(step.seconds);
      case 'check':
        return this.#check(step.left, step.sign, step.right);
    }
  }

  async end(): Promise<void> {
    const { send, expect } = this.#stage.goodbye;
    for (const [name, session] of this.#sessions) {
      if (this.#ended.has(name)) continue;
      session.send(`${send}\r\n`);
      for (const pattern of expect) {
        const line = await session.line();
        assert.ok(
          line !== undefined && this.#matches(pattern, line),
          `session ${name} has more to say: ${line}`,
        );
      }
    }
  }

  async #session(name: string): Promise<LineClient> {
    const known = this.#sessions.get(name);
    if (known !== undefined) return known;
    const session = this.#stage.connect('tls');
    this.#sessions.set(name, session);
    await session.line();
    for (const [i, command] of this.#stage.greeting.entries()) {
      session.send(`g${i} ${command}\r\n`);
      for (let line = await session.line(); line?.startsWith(`g${i} `) !== true;) {
        assert.ok(line !== undefined, 'the session ended before it began');
        line = await session.line();
      }
    }
    return session;
  }

  async #expect(name: string, pattern: string, later: boolean): Promise<void> {
    const session = await this.#session(name);
    for (;;) {
      const octets = await session.line();
      const line = octets === undefined ? undefined : decoded(octets);
      if (line !== undefined && this.#matches(pattern, line)) return;
      if (line !== undefined && later) continue;
      assert.fail(`\n  expected  ${this.#shown(pattern)}\n  received  ${line ?? '(end)'}`);
    }
  }

  /** Compares, and learns the values that are new. */
  #matches(pattern: string, line: string): boolean {
    const names: string[] = [];
    let source = '';
    for (const part of pattern.split(/(…|<[A-Za-z]\w*>)/)) {
      const name = VALUE.exec(part)?.[1];
      const known = name === undefined ? part : this.#values.get(name);
      if (part === '…') source += '.*';
      else if (known !== undefined) source += literally(known);
      else {
        names.push(name ?? '');
        source += '([^ ()\\[\\]]+)';
      }
    }
    const match = new RegExp(`^${source}$`, 's').exec(line);
    if (match === null) return false;
    for (const [i, name] of names.entries()) this.#values.set(name, match[i + 1] ?? '');
    return true;
  }

  #filled(text: string): string {
    return text.replace(VALUES, (whole, name: string) => this.#values.get(name) ?? whole);
  }

  #shown(pattern: string): string {
    return this.#filled(pattern);
  }

  #check(left: string, sign: string, right: string): void {
    const [a, b] = [this.#number(left), this.#number(right)];
    const holds =
      (sign.includes('=') && sign !== '!=' && a === b) ||
      (sign.startsWith('<') && a < b) ||
      (sign.startsWith('>') && a > b) ||
      (sign === '!=' && a !== b);
    assert.ok(holds, `${left} ${sign} ${right} is not true: ${a} and ${b}`);
  }

  #number(text: string): number {
    const sum = this.#filled(text).split(' + ').map(Number);
    assert.ok(!sum.some(Number.isNaN), `${text} is no number`);
    return sum.reduce((a, b) => a + b, 0);
  }
}

const VALUE = /^<([A-Za-z]\w*)>$/;
const VALUES = /<([A-Za-z]\w*)>/g;

function literally(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}

function decoded(octets: string): string {
  return Buffer.from(octets, 'latin1').toString('utf8');
}

function unescaped(text: string): string {
  const escapes: Record<string, string> = { r: '\r', n: '\n', 0: '\0', '\\': '\\' };
  return text.replace(/\\([rn0\\])/g, (_, char: string) => escapes[char] ?? '');
}
