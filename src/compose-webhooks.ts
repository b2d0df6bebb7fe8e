/**
 * Puts together who calls webhooks.
 */

import { systemClock, systemRandom } from '#infra/clock';
import type { Engine } from '#infra/engine';
import { HookSecrets } from '#infra/hook-secrets';
import { openHttpPost } from '#infra/http-post';
import { version } from '#infra/places';
import { waitingWebhooks } from '#infra/waiting-webhooks';
import { WebhookSettings } from '#infra/webhook-settings';
import type { Log } from '#protocols/ports';
import type { Metrics } from '#protocols/ports-metrics';
import type { AdministeredWebhookSettings } from '#protocols/ports-webhook';
import { startHookRunner } from '#protocols/webhook/runner';

export interface WebhookParts {
  readonly engine: Engine;
  readonly log: Log;
  readonly metrics: Metrics;
}

export interface RunningWebhooks {
  readonly settings: AdministeredWebhookSettings;
  stop(): Promise<void>;
}

/** To be called before anybody else does anything with the engine. */
export async function startWebhooks({
  engine,
  log,
  metrics,
}: WebhookParts): Promise<RunningWebhooks> {
  const secrets = new HookSecrets(engine.secrets, systemRandom);
  await secrets.sweep(engine.directory.state, engine.books);
  const http = openHttpPost({ clock: systemClock });
  const runner = await startHookRunner({
    commands: engine.lanes,
    webhooks: waitingWebhooks(engine.books),
    authorizations: secrets,
    bodies: engine.bodies,
    pause: engine.directory,
    http,
    metrics,
    clock: systemClock,
    random: systemRandom,
    log: log.child({ pkg: 'webhooks' }),
    version: version(),
  });
  return {
    settings: new WebhookSettings(engine.accounts, secrets),
    async stop() {
      await runner.stop();
      http.close();
    },
  };
}
