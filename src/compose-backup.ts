/**
 * Puts together backups and restores: what belongs to a server besides its data stands in the
 * configuration.
 */

import path from 'node:path';
import { fileSource, secretsIn, type FileSource } from '#infra/backup-kept';
import { makeBackup } from '#infra/backup';
import { recoverJournal } from '#infra/bodies';
import { systemClock } from '#infra/clock';
import { readConfig, type LoadedConfig } from '#infra/config';
import { takeDataLock } from '#infra/data-lock';
import { LOG_FILE } from '#infra/engine';
import { openLog } from '#infra/log';
import { version } from '#infra/places';
import { restoreBackup } from '#infra/restore';
import { settleRestored } from '#infra/settle';
import type { BackupRequest, RestoredServer, RestoreRequest } from '#protocols/cli/openers';
import { readFacts } from '#protocols/message/facts';

const CONFIG_FILE = 'daybook.yaml';

export async function backup(
  dir: string,
  { withKeys, offline, ...request }: BackupRequest,
): Promise<readonly string[]> {
  const loaded = readConfig(path.join(dir, 'config', CONFIG_FILE));
  const dataDir = loaded.pathOf(loaded.config.DataDir);
  using _ = offline ? takeDataLock(dataDir) : undefined;
  // What a power cut took is made again by a start, and here, where there was none.
  if (offline) recoverJournal(dataDir);
  const source = {
    dataDir,
    logFile: path.join(dataDir, LOG_FILE),
    files: () => filesOf(loaded, dataDir, withKeys),
    version: version(),
    now: new Date(systemClock.now()).toISOString(),
  };
  return await makeBackup(source, { ...request, offline });
}

export async function restore(from: string, request: RestoreRequest): Promise<RestoredServer> {
  const log = openLog({ level: 'warn' });
  try {
    const { head, ...restored } = await restoreBackup({
      ...request,
      backup: from,
      settle: (dataDir) => settleRestored(dataDir, { readFacts, notes: log }),
    });
    return { position: head.position, ...restored };
  } finally {
    log.close();
  }
}

async function filesOf(
  loaded: LoadedConfig,
  dataDir: string,
  withKeys: boolean,
): Promise<readonly FileSource[]> {
  const found = [
    await fileSource('config', CONFIG_FILE, loaded.path),
    ...(await secretsIn(path.join(dataDir, 'secrets'))),
  ];
  for (const from of withKeys ? keysOf(loaded) : []) {
    found.push(await fileSource('key', from, loaded.pathOf(from)));
  }
  return found.filter((file) => file !== undefined);
}

/** As the configuration calls them; the certificate that we sign ourselves has its usual name. */
function keysOf({ config }: LoadedConfig): readonly string[] {
  const { SecretsKeyFile, Listeners, Transports = {} } = config;
  const certificates = Object.values(Listeners)
    .flatMap(({ TLS }) => TLS?.KeyCerts ?? [])
    .flatMap(({ CertFile, KeyFile }) => [CertFile, KeyFile]);
  const clientKeys = Object.values(Transports)
    .flatMap(({ Submissions, Submission, SMTP }) => [Submissions, Submission, SMTP])
    .flatMap((relay) => relay?.ClientKeyFile ?? []);
  const own = path.posix.join('tls', 'localhost.pem');
  return [...new Set([SecretsKeyFile, own, ...certificates, ...clientKeys])];
}
