/**
 * Facts for the books of the server, of every kind, each kind in the order in which it came.
 */

import type { AuditFact, ReportFact } from '#domain/log/fact';
import { AUDIT_MODELS, REPORT_MODELS, SERVER_MODELS } from '#projections/catalog';
import type { ServerFact } from '#projections/model';
import type { Sql } from '#projections/query';
import { touchesRetired } from '#projections/retired';
import { touchesCredentials } from '#projections/server-credentials';
import { touchesQueue } from '#projections/server-queue';
import { touchesSuppressions } from '#projections/server-suppressions';
import { touchesTlsKeys } from '#projections/server-tls-keys';
import { touchesWebhooks } from '#projections/server-webhooks';

/** Which facts change anything there. */
const TOUCHES = [
  touchesQueue,
  touchesRetired,
  touchesSuppressions,
  touchesCredentials,
  touchesTlsKeys,
  touchesWebhooks,
];

export class ServerFacts {
  readonly #accounts: ServerFact[] = [];
  readonly audits: AuditFact[] = [];
  readonly reports: ReportFact[] = [];

  get count(): number {
    return this.#accounts.length + this.audits.length + this.reports.length;
  }

  get changeQueue(): boolean {
    return this.#accounts.some(touchesQueue);
  }

  get changeWebhooks(): boolean {
    return this.#accounts.some(touchesWebhooks);
  }

  /** Unless it changes nothing there. */
  add(of: ServerFact): void {
    if (TOUCHES.some((touches) => touches(of))) this.#accounts.push(of);
  }

  /** Those of `later` come behind. */
  push(later: ServerFacts): void {
    this.#accounts.push(...later.#accounts);
    this.audits.push(...later.audits);
    this.reports.push(...later.reports);
  }

  post(write: Sql): void {
    for (const fact of this.#accounts) {
      for (const model of SERVER_MODELS) model.apply(fact, write, () => undefined);
    }
    for (const audit of this.audits) {
      for (const model of AUDIT_MODELS) model.apply(audit, write, () => undefined);
    }
    for (const report of this.reports) {
      for (const model of REPORT_MODELS) model.apply(report, write, () => undefined);
    }
  }
}
