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
import type { Fault } from '#domain/values/fault';
import type { Log } from '#protocols/ports';
import type { RecordedTlsResults, TlsResultQuestion } from '#protocols/ports-admin';
import type { TlsResults } from '#protocols/ports-remote';
import type { LanePorts } from './lane.ts';
import { MonthStream, type Batches, type Recording } from './month-stream.ts';
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
  readonly notes: Log;
  readonly books: {
    followReports(stream: string, facts: readonly ReportFact[]): void;
    tlsResults(question: TlsResultQuestion): readonly GatheredTlsResult[];
  };
}

type Results = MonthStream<GatheredTlsResult, undefined, ReportEvent>;

export class TlsRecorder implements TlsResults, RecordedTlsResults {
  readonly #ports: TlsRecorderPorts;
  readonly #month: Results;
  /** By key. */
  #waiting = new Map<string, GatheredTlsResult>();
  #lost = 0;
  #cancelWake: (() => void) | undefined;

  private constructor(ports: TlsRecorderPorts, month: Results) {
    this.#ports = ports;
    this.#month = month;
  }

  static async open(ports: TlsRecorderPorts): Promise<TlsRecorder> {
    const now = new Date(ports.clock.now()).toISOString();
    const month = await MonthStream.open(reportStream(now), recordingOf(ports), ports);
    return new TlsRecorder(ports, month);
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
    return this.#month.append(
      () => this.#take(),
      (results, fault) => this.#putBack(results, fault),
    );
  }

  async close(): Promise<void> {
    await this.flush();
    this.#cancelWake?.();
    await this.#month.close();
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

  /** By the month of their day; each is a command of its own. */
  #take(): Batches<GatheredTlsResult> {
    const taken = [...this.#waiting.values()];
    this.#waiting = new Map();
    if (taken.length > 0) {
      this.#cancelWake?.();
      this.#cancelWake = undefined;
    }
    if (this.#lost > 0) this.#ports.notes.warn({ lost: this.#lost }, 'too many TLS results waited');
    this.#lost = 0;
    const months = Map.groupBy(taken, ({ day }) => reportStream(day));
    return new Map([...months].map(([stream, some]) => [stream, some.map((one) => [one])]));
  }

  #putBack(results: readonly GatheredTlsResult[], fault: Fault): void {
    this.#ports.notes.warn({ err: fault }, 'TLS results wait');
    // What waited already is not lost for what came meanwhile.
    for (const result of results) this.#gather(result, 2 * WAITING_MAX);
    this.#wakeIn(RETRY_MS);
  }
}

function recordingOf({
  log,
  books,
}: TlsRecorderPorts): Recording<GatheredTlsResult, undefined, ReportEvent> {
  return {
    cause: CAUSE,
    isOurs: isReportStream,
    openLedger: (stream) => openReportLedger(log, stream),
    follow: (stream, facts) => books.followReports(stream, facts),
    decide: ([result]) => decideReport({ type: 'RecordTlsResult', result }),
  };
}
