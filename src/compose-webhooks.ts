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
import type { MessageReader } from '#protocols/ports-reading';
import type { Metrics } from '#protocols/ports-metrics';
import type { WebhookSettingsParts } from '#protocols/cli/webhook-settings-control';
import { startHookRunner } from '#protocols/webhook/runner';

export interface WebhookParts {
  readonly engine: Engine;
  readonly reader: MessageReader;
  readonly log: Log;
  readonly metrics: Metrics;
}

export interface RunningWebhooks {
  readonly settings: WebhookSettingsParts;
  stop(): Promise<void>;
}

/** To be called before anybody else does anything with the engine. */
export async function startWebhooks({
  engine,
  reader,
  log,
  metrics,
}: WebhookParts): Promise<RunningWebhooks> {
  const secrets = new HookSecrets(engine.secrets, systemRandom);
  await secrets.sweep(engine.directory.state, engine.books);
  const http = openHttpPost({ clock: systemClock });
  const client = { http, clock: systemClock, version: version() };
  const runner = await startHookRunner({
    ...client,
    commands: engine.lanes,
    webhooks: waitingWebhooks(engine.books),
    authorizations: secrets,
    bodies: engine.bodies,
    reader,
    pause: engine.directory,
    metrics,
    random: systemRandom,
    log: log.child({ pkg: 'webhooks' }),
  });
  return {
    settings: {
      webhooks: new WebhookSettings(engine.accounts, secrets),
      accounts: engine.accounts,
      authorizations: secrets,
      client,
    },
    async stop() {
      await runner.stop();
      http.close();
    },
  };
}
