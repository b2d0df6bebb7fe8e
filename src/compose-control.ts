/**
 * Puts together what the command line may ask of the running server, over the control socket.
 */

import { Fault } from '#domain/values/fault';
import { aliasAdmin } from '#infra/alias-admin';
import { systemClock } from '#infra/clock';
import { openControlSocket } from '#infra/control-socket';
import type { Engine } from '#infra/engine';
import { QueueAdmin } from '#infra/queue-admin';
import { LeasedHolds } from '#infra/removal-holds';
import { routingAdmin } from '#infra/routing-admin';
import { WebhookAdmin } from '#infra/webhook-admin';
import { aliasCommands } from '#protocols/cli/alias-control';
import { backupCommands } from '#protocols/cli/backup-control';
import { serveControl, turnAway } from '#protocols/cli/control';
import { controlCommands } from '#protocols/cli/control-commands';
import { dkimCommands } from '#protocols/cli/dkim-control';
import { queueCommands } from '#protocols/cli/queue-control';
import { routingCommands } from '#protocols/cli/routing-control';
import { webhookCommands } from '#protocols/cli/webhook-control';
import { webhookSettingsCommands } from '#protocols/cli/webhook-settings-control';
import type { Log } from '#protocols/ports';
import type { MessageReader } from '#protocols/ports-reading';
import type { DirectoryDesk } from './compose-directory.ts';
import type { RunningQueue } from './compose-queue.ts';
import type { RunningWebhooks } from './compose-webhooks.ts';

export interface ControlParts {
  readonly engine: Engine;
  readonly dataDir: string;
  /** Their names. */
  readonly transports: readonly string[];
  readonly queue: RunningQueue;
  readonly webhooks: RunningWebhooks;
  readonly desk: DirectoryDesk;
  readonly reader: MessageReader;
  readonly log: Log;
}

/** Listens on the control socket; returns how to close it. Mail goes on without it. */
export async function startControl({
  engine,
  dataDir,
  transports,
  queue: { notices },
  webhooks,
  desk,
  reader,
  log,
}: ControlParts): Promise<() => Promise<void> | void> {
  const queue = new QueueAdmin({
    ...engine,
    noticeOf: (accountId, item) => notices.ofCancel(accountId, item),
    transports: () => transports,
  });
  const holds = new LeasedHolds({ clock: systemClock, sweep: engine.sweep });
  const commands = new Map([
    ...controlCommands({
      accounts: engine.accounts,
      keys: engine.tlsKeys,
      attempts: engine.audit,
      tlsResults: engine.tlsResults,
    }),
    ...desk.commands,
    ...dkimCommands(engine.dkimKeys),
    ...webhookSettingsCommands(webhooks.settings),
    ...aliasCommands(aliasAdmin(engine.directory)),
    ...routingCommands(routingAdmin({ directory: engine.directory, transports: () => transports })),
    ...queueCommands({ queue, clock: systemClock }),
    ...backupCommands(holds),
    ...webhookCommands({
      webhooks: new WebhookAdmin(engine),
      bodies: engine.bodies,
      reader,
      clock: systemClock,
    }),
  ]);
  const ports = { clock: systemClock, log: log.child({ pkg: 'control' }) };
  try {
    const socket = await openControlSocket(
      dataDir,
      (stream) => void serveControl(stream, commands, ports),
      turnAway,
    );
    return async () => {
      await socket.close();
      holds.close();
    };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    log.warn({ err: error }, 'no control socket');
    return () => undefined;
  }
}
