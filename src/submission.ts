/**
 * Puts together what sendmail works with: its file, the message on standard input, connections, and
 * a folder for what nobody took.
 */

import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { systemClock, systemRandom } from '#infra/clock';
import { BadConfig } from '#infra/config';
import { clientKeyOf, readSubmitConfig, type SubmitConfig } from '#infra/config-submit';
import { openDialer } from '#infra/dialer';
import { keptMailIn } from '#infra/kept-mail';
import { openLog } from '#infra/log';
import type { Submission, SubmissionSettings } from '#protocols/cli/submission';
import type { ClientKey } from '#protocols/ports';

const FAILURES = 'daybook-submit.failures';

/** Throws BadConfig when there is no file, or a mistake in it. */
export async function openSubmission(file: string | undefined): Promise<Submission> {
  const path = configPath(file ?? process.env['DAYBOOKSUBMITCONF']);
  const config = readSubmitConfig(path);
  const clientKey = await clientKeyOf(config, path, systemClock);
  const log = openLog({ level: 'error' });
  const ports = { clock: systemClock, random: systemRandom, log };
  return {
    ...ports,
    dialer: openDialer(ports),
    settings: settingsOf(config, clientKey),
    message: inputUpTo,
    ...keptMailIn(join(homedir(), FAILURES), ports),
  };
}

function configPath(given: string | undefined): string {
  if (given !== undefined && given !== '') return given;
  const paths = ['daybook-submit.yaml', 'moxsubmit.conf'].flatMap((name) => [
    join(homedir(), `.${name}`),
    join('/etc', name),
  ]);
  const found = paths.find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new BadConfig(`There is no file that says where to hand in mail: ${paths.join(', ')}`);
}

function settingsOf(config: SubmitConfig, clientKey: ClientKey | undefined): SubmissionSettings {
  const { TLS, STARTTLS, RequireTLS } = config;
  return {
    hostName: config.LocalHostname,
    host: config.Host,
    port: config.Port,
    tls: TLS === true ? 'implicit' : STARTTLS === true ? 'starttls' : 'none',
    anyCertificate: config.TLSInsecureSkipVerify === true,
    login: config.Username,
    password: config.Password || undefined,
    clientKey,
    mechanism: config.AuthMethod || undefined,
    from: config.From,
    defaultDestination: config.DefaultDestination || undefined,
    requireTls: RequireTLS ? RequireTLS === 'yes' : undefined,
  };
}

async function inputUpTo(bytesMax: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin) {
    const octets = Buffer.from(chunk);
    chunks.push(octets);
    bytes += octets.length;
    if (bytes > bytesMax) throw new Error(`The message is longer than ${bytesMax} octets.`);
  }
  return Buffer.concat(chunks);
}
