/**
 * How TLS went with the hosts of others, on its way from attempts into the month's stream.
 *
 * Sessions under the same policy are gathered for a minute and recorded together, so that a busy
 * queue does not write two facts for every connection (docs/adr/0023-tls-results.md).
 *
 * Invariants: nobody waits for a record; memory is bounded whatever comes in; results go into the
 * month of their day, and never into one before the last, because views are posted month by month.
 * Diagnostics: what cannot be appended is kept and tried again; results beyond what may wait are
 * lost, and a note says how many.
 */

import type { EventLog } from '#domain/log/event-log';
import type { ReportFact } from '#domain/log/fact';
import { isReportStream, reportStream } from '#domain/log/streams';
import {
  decideReport,
  recordableResult,
  tlsResultKey,
  together,
  type GatheredTlsResult,
} from '#domain/report/decide';
import type { ReportEvent, TlsResult } from '#domain/report/events';
import { Fault } from '#domain/values/fault';
import type { Log } from '#protocols/ports';
import type { RecordedTlsResults, TlsResultQuestion } from '#protocols/ports-admin';
import type { TlsResults } from '#protocols/ports-remote';
import { Lane, type LanePorts } from './lane.ts';
import { openReportLedger } from './report-ledger.ts';

/** How long the first result waits for others. */
export const GATHERED_MS = 60_000;
const RETRY_MS = 5_000;
/** So many kinds of results do not wait for the minute. */
const MANY = 200;
/** Kinds that wait at most, while nothing can be appended. */
export const WAITING_MAX = 1_000;
const CAUSE = { actor: 'system:reports' };

export interface TlsRecorderPorts extends LanePorts {
  readonly log: EventLog;
  readonly notes: Log;
  readonly books: {
    followReports(stream: string, facts: readonly ReportFact[]): void;
    tlsResults(question: TlsResultQuestion): readonly GatheredTlsResult[];
  };
}

interface Month {
  readonly stream: string;
  readonly lane: Lane<undefined, ReportEvent>;
}

export class TlsRecorder implements TlsResults, RecordedTlsResults {
  readonly #ports: TlsRecorderPorts;
  #month: Month;
  /** By key. */
  #waiting = new Map<string, GatheredTlsResult>();
  #lost = 0;
  #cancelWake: (() => void) | undefined;
  /** Appends, one after the other; never rejects. */
  #writing: Promise<void> = Promise.resolve();

  private constructor(ports: TlsRecorderPorts, month: Month) {
    this.#ports = ports;
    this.#month = month;
  }

  static async open(ports: TlsRecorderPorts): Promise<TlsRecorder> {
    const months = [...(await ports.log.streams()).keys()].filter(isReportStream);
    const now = new Date(ports.clock.now()).toISOString();
    const stream = [...months, reportStream(now)].sort().at(-1) ?? '';
    return new TlsRecorder(ports, await openMonth(stream, ports));
  }

  record(result: TlsResult): void {
    const day = new Date(this.#ports.clock.now()).toISOString().slice(0, 10);
    this.#gather(recordableResult(result, day), WAITING_MAX);
    if (this.#waiting.size === MANY) void this.flush();
    this.#wakeIn(GATHERED_MS);
  }

  async list(question: TlsResultQuestion): Promise<readonly GatheredTlsResult[]> {
    await this.flush();
    return this.#ports.books.tlsResults(question);
  }

  /** Everything that waits is recorded when it resolves, unless the disk is full. */
  flush(): Promise<void> {
    this.#writing = this.#writing.then(async () => {
      try {
        await this.#append();
      } catch (error) {
        this.#ports.fatal(error);
      }
    });
    return this.#writing;
  }

  async close(): Promise<void> {
    await this.flush();
    this.#cancelWake?.();
    await this.#month.lane.close();
  }

  #gather(result: GatheredTlsResult, most: number): void {
    const key = tlsResultKey(result);
    const before = this.#waiting.get(key);
    if (before === undefined && this.#waiting.size >= most) this.#lost++;
    else this.#waiting.set(key, together(before, result));
  }

  #wakeIn(ms: number): void {
    this.#cancelWake ??= this.#ports.clock.after(ms, () => {
      this.#cancelWake = undefined;
      void this.flush();
    });
  }

  async #append(): Promise<void> {
    const taken = [...this.#waiting.values()];
    this.#waiting = new Map();
    if (taken.length === 0) return;
    this.#cancelWake?.();
    this.#cancelWake = undefined;
    const months = Map.groupBy(taken, ({ day }) => this.#streamFor(day));
    for (const [stream, results] of [...months].sort(([a], [b]) => (a < b ? -1 : 1))) {
      await this.#appendTo(stream, results);
    }
    if (this.#lost === 0) return;
    this.#ports.notes.warn({ lost: this.#lost }, 'too many TLS results waited');
    this.#lost = 0;
  }

  /** Should time have gone back, the last month goes on. */
  #streamFor(day: string): string {
    const stream = reportStream(day);
    return stream < this.#month.stream ? this.#month.stream : stream;
  }

  async #appendTo(stream: string, results: readonly GatheredTlsResult[]): Promise<void> {
    try {
      await this.#goTo(stream);
    } catch (error) {
      return this.#putBack(results, error);
    }
    const { lane } = this.#month;
    const appends = results.map(async (result) => {
      try {
        await lane.execute(CAUSE, () => decideReport({ type: 'RecordTlsResult', result }));
      } catch (error) {
        this.#putBack([result], error);
      }
    });
    await Promise.all(appends);
  }

  async #goTo(stream: string): Promise<void> {
    if (stream === this.#month.stream) return;
    const next = await openMonth(stream, this.#ports);
    await this.#month.lane.close();
    this.#month = next;
  }

  #putBack(results: readonly GatheredTlsResult[], error: unknown): void {
    if (!(error instanceof Fault)) throw error;
    this.#ports.notes.warn({ err: error }, 'TLS results wait');
    // What waited already is not lost for what came meanwhile.
    for (const result of results) this.#gather(result, 2 * WAITING_MAX);
    this.#wakeIn(RETRY_MS);
  }
}

async function openMonth(stream: string, ports: TlsRecorderPorts): Promise<Month> {
  const ledger = await openReportLedger(ports.log, stream);
  const lane = new Lane(ledger, ports, (facts) => ports.books.followReports(stream, facts));
  return { stream, lane };
}
