/**
 * Sends a message from standard input to the recipients on the command line, and says what became
 * of each of them.
 *
 *     SMTP_PASSWORD=… node examples/smtp-send.ts --host localhost --port 465 --any-certificate \
 *       --login daybook@localhost --from daybook@localhost friend@example.org < message.eml
 *
 * Lines that end in LF are sent with CRLF. With --key and --cert the TLS key is shown to the server,
 * and no password is needed; without --login nobody logs in.
 *
 * RFC 5321 §3.3, RFC 6409 (submission)
 */

import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { buffer } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { systemClock, systemRandom } from '#infra/clock';
import { openDialer } from '#infra/dialer';
import { openLog } from '#infra/log';
import { openSmtpClient } from '#protocols/smtp/client';
import type { RecipientResult } from '#protocols/smtp/client-delivery';
import { SmtpClientError } from '#protocols/smtp/client-error';
import { STRONG_MECHANISMS } from '#protocols/smtp/client-login';
import type { SmtpClient } from '#protocols/smtp/client-session';
import type { ClientKey } from '#protocols/ports';

const { values: given, positionals: recipients } = parseArgs({
  allowPositionals: true,
  options: {
    host: { type: 'string', default: 'localhost' },
    port: { type: 'string', default: '465' },
    tls: { type: 'string', default: 'implicit' },
    ca: { type: 'string' },
    'any-certificate': { type: 'boolean', default: false },
    key: { type: 'string' },
    cert: { type: 'string' },
    login: { type: 'string' },
    from: { type: 'string', default: '' },
  },
});

async function connect(): Promise<SmtpClient> {
  const log = openLog({ level: 'warn' });
  const clientKey = await ownKey();
  const { tls } = given;
  if (tls !== 'implicit' && tls !== 'starttls' && tls !== 'opportunistic' && tls !== 'none') {
    throw new Error('--tls is implicit, starttls, opportunistic or none.');
  }
  return await openSmtpClient({
    dialer: openDialer({ clock: systemClock, log }),
    clock: systemClock,
    random: systemRandom,
    log,
    host: given.host,
    port: Number(given.port),
    hostName: hostname(),
    tls,
    trust: {
      anyCertificate: given['any-certificate'],
      ...(given.ca !== undefined && { authorities: [await readFile(given.ca, 'utf8')] }),
    },
    ...(clientKey && { clientKey }),
  });
}

async function ownKey(): Promise<ClientKey | undefined> {
  if (given.key === undefined) return undefined;
  const key = await readFile(given.key, 'utf8');
  return { key, cert: given.cert === undefined ? key : await readFile(given.cert, 'utf8') };
}

async function logIn(client: SmtpClient): Promise<void> {
  const { login } = given;
  if (login === undefined) return;
  const password = process.env['SMTP_PASSWORD'];
  await client.authenticate({
    login,
    ...(password !== undefined && { password }),
    mechanisms: [...STRONG_MECHANISMS, 'PLAIN'],
    passwordsInClear: given.tls === 'none',
  });
}

function told(result: RecipientResult): string {
  if (result.type === 'delivered') return `+ ${result.address}: ${result.ended.lines.join(' ')}`;
  const { message, permanent, mayBeTaken } = result.error;
  const again = permanent ? 'for good' : mayBeTaken ? 'or perhaps not' : 'for now';
  return `- ${result.address}: ${message} (${again})`;
}

try {
  if (recipients.length === 0) throw new Error('To whom? Name the recipients.');
  const text = (await buffer(process.stdin)).toString('latin1');
  const message = Buffer.from(text.replace(/\r?\n/g, '\r\n'), 'latin1');
  await using client = await connect();
  await logIn(client);
  const { recipients: results } = await client.deliver({
    mailFrom: given.from,
    recipients: recipients.map((address) => ({ address })),
    body: async function* () {
      yield message;
    },
  });
  for (const result of results) console.log(told(result));
  if (results.some(({ type }) => type === 'failed')) process.exitCode = 1;
  await client.quit();
} catch (error) {
  if (!(error instanceof Error)) throw error;
  const code = error instanceof SmtpClientError ? ` (${error.code} at ${error.stage})` : '';
  console.error(`smtp-send: ${error.message}${code}`);
  process.exitCode = 1;
}
