/**
 * Commands on the data: `rebuild`, `verifydata`, `bumpuidvalidity`, `log tail`.
 */

import type { RecordedEvent } from '#domain/log/event';
import type { DataFlags, TailFlags } from './flags.ts';
import type { Openers, Terminal } from './openers.ts';
import { timeOf } from './record-values.ts';

export async function rebuild(
  flags: DataFlags,
  terminal: Terminal,
  openers: Openers,
): Promise<void> {
  await using store = disposable(await openers.openStore(flags.dir));
  for await (const done of store.value.rebuild()) {
    const what = 'events' in done ? `${done.events} events` : `${done.texts} texts`;
    terminal.out(
      flags.json ? JSON.stringify(done) : `${done.account}: ${what} in ${done.milliseconds} ms`,
    );
  }
}

export async function bumpUidValidity(
  account: string | undefined,
  flags: DataFlags,
  terminal: Terminal,
  openers: Openers,
): Promise<void> {
  await using store = disposable(await openers.openStore(flags.dir));
  for await (const done of store.value.renumber(account)) {
    const line = `${done.account}: ${done.mailboxes} mailboxes have a new UIDVALIDITY`;
    terminal.out(flags.json ? JSON.stringify(done) : line);
  }
}

/** Exit code 1 when something was found. */
export async function verifydata(
  flags: DataFlags,
  terminal: Terminal,
  openers: Openers,
): Promise<number> {
  await using store = disposable(await openers.openStore(flags.dir));
  let findings = 0;
  for await (const finding of store.value.verify((text) => terminal.err(text))) {
    findings++;
    terminal.out(flags.json ? JSON.stringify(finding) : `${finding.where}: ${finding.what}`);
  }
  if (!flags.json) terminal.out(findings === 0 ? `${flags.dir}: OK` : `findings: ${findings}`);
  return findings === 0 ? 0 : 1;
}

export async function tail(flags: TailFlags, terminal: Terminal, openers: Openers): Promise<void> {
  const end = new AbortController();
  void terminal.stopAsked().then(() => end.abort());
  for await (const event of openers.tailLog(flags.dir, flags, end.signal)) {
    terminal.out(flags.json ? JSON.stringify(event) : lineOf(event));
  }
}

/** Position, time, stream@revision, type, who, and the fact itself. */
function lineOf(event: RecordedEvent): string {
  const from = event.cause.ip === undefined ? '' : ` ${event.cause.ip}`;
  return (
    `${event.position} ${timeOf(event.at)} ${event.stream}@${event.revision} ${event.type} ` +
    `${event.cause.actor}${from} ${JSON.stringify(event.data)}`
  );
}

function disposable<T extends { close(): Promise<void> }>(
  value: T,
): AsyncDisposable & { readonly value: T } {
  return { value, [Symbol.asyncDispose]: () => value.close() };
}
