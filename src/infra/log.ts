/**
 * The log: pino with concise lines, `l=info m="new connection" pkg=imap cid=19a8… ip=…`.
 *
 * Lines carry no time unless asked for: the journal of the system adds it. They are written at
 * once, so that the last words of a process that falls are there.
 * Invariants: see `logfmt.ts`, which makes the lines.
 */

import pino from 'pino';
import type { Instant } from '#domain/values/ids';
import type { Log, LogFields } from '#protocols/ports';
import { formatJson, formatLogfmt, formatText, logEntries, type LogEntry } from './logfmt.ts';

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error';

export interface LogOptions {
  readonly level: LogLevel;
  /** Levels of single packages, by the `pkg` of their child logs. */
  readonly packages?: Readonly<Record<string, LogLevel>>;
  readonly format?: 'logfmt' | 'json';
  /** Where there is one, `t=` begins the line. */
  readonly now?: () => Instant;
  /** Path of a file to append to, or what takes the lines; standard error else. */
  readonly to?: string | ((line: string) => void);
}

export interface OpenLog extends Log {
  /** Opens the file again under its name: somebody moved the old one away. */
  reopen(): void;
  close(): void;
}

interface Destination {
  write(line: string): void;
  reopen(): void;
  close(): void;
}

export function openLog(options: LogOptions): OpenLog {
  const { level, packages = {}, format = 'logfmt', now } = options;
  const destination = openDestination(options.to);
  const logger = pino(
    {
      level,
      base: null,
      timestamp: false,
      onChild(child) {
        const own = packages[String(child.bindings()['pkg'])];
        if (own !== undefined) child.level = own;
      },
    },
    destination,
  );
  const lineOf = format === 'json' ? jsonLine : logfmtLine;
  // Children inherit what stands here, as pino makes them from their parent.
  Object.defineProperty(logger, pino.symbols.asJsonSym, {
    value(this: object, fields: LogFields, phrase: string | undefined, levelNumber: number) {
      const entries = logEntries(fields, levelNumber >= ERROR);
      return lineOf(pino.levels.labels[levelNumber] ?? '', phrase ?? '', this, entries, now);
    },
  });
  return Object.assign(logger, {
    reopen: () => destination.reopen(),
    close: () => destination.close(),
  });
}

const ERROR = 50;

/** Ids of connections and tasks: hex, from the start's milliseconds upwards. */
export function connectionIds(startAt: Instant): () => string {
  let next = startAt;
  return () => (next++).toString(16);
}

function logfmtLine(
  level: string,
  phrase: string,
  logger: object,
  entries: readonly LogEntry[],
  now: (() => Instant) | undefined,
): string {
  const time = now === undefined ? '' : `t=${new Date(now()).toISOString()} `;
  const tail = bindingsOf(logger).text + formatLogfmt(entries);
  return `${time}l=${level} m=${formatText(phrase)}${tail}\n`;
}

function jsonLine(
  level: string,
  phrase: string,
  logger: object,
  entries: readonly LogEntry[],
  now: (() => Instant) | undefined,
): string {
  const time: LogEntry[] = now === undefined ? [] : [['t', new Date(now()).toISOString()]];
  const head: LogEntry[] = [...time, ['l', level], ['m', phrase]];
  return `${formatJson([...head, ...bindingsOf(logger).entries, ...entries])}\n`;
}

interface Bindings {
  readonly entries: readonly LogEntry[];
  readonly text: string;
}

/** What child logs bring along, read once from the JSON tail that pino keeps of it. */
const bindingsByLogger = new WeakMap<object, Bindings>();

function bindingsOf(logger: object): Bindings {
  const known = bindingsByLogger.get(logger);
  if (known !== undefined) return known;
  const tail = String(Reflect.get(logger, pino.symbols.chindingsSym));
  const fields: unknown = JSON.parse(`{${tail.slice(1)}}`);
  const entries =
    typeof fields === 'object' && fields !== null ? logEntries({ ...fields }, false) : [];
  const bindings = { entries, text: formatLogfmt(entries) };
  bindingsByLogger.set(logger, bindings);
  return bindings;
}

function openDestination(to: LogOptions['to']): Destination {
  if (typeof to === 'function') return { write: to, reopen() {}, close() {} };
  const file = pino.destination({ dest: to ?? 2, append: true, mode: 0o600, sync: true });
  return {
    write: (line) => void file.write(line),
    reopen() {
      if (to !== undefined) file.reopen();
    },
    close() {
      file.flushSync();
      if (to !== undefined) file.end();
    },
  };
}
