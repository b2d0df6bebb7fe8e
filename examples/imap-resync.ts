/**
 * Keeps a list of the messages of one mailbox in a small file, and brings it up to date in one
 * round trip: the server is told what we knew and answers with what has changed since (QRESYNC).
 *
 *     IMAP_PASSWORD=… node examples/imap-resync.ts --host localhost --port 1993 \
 *       --login daybook@localhost --any-certificate --state inbox.json
 *
 * Prints `+` for each new message, `~` for changed flags and `-` for what is gone, then a summary.
 * With --key and --cert the TLS key is shown to the server, and no password is needed.
 *
 * RFC 7162 §3.2.5
 */

import { readFile, rename, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { hasUid } from '#domain/values/uid-set';
import { systemClock, systemRandom } from '#infra/clock';
import { openDialer } from '#infra/dialer';
import { openLog } from '#infra/log';
import { openImapClient } from '#protocols/imap/client';
import { ImapClientError } from '#protocols/imap/client-error';
import type { ImapClient } from '#protocols/imap/client-session';
import type { FetchedMessage } from '#protocols/imap/client-words';
import { STAR } from '#protocols/imap/words';
import type { ClientKey } from '#protocols/ports';

/** What is kept between two runs. */
interface Known {
  readonly uidValidity: number;
  readonly modSeq: number;
  /** Flags by UID. */
  readonly messages: Readonly<Record<string, readonly string[]>>;
}

interface Changes {
  readonly added: number;
  readonly changed: number;
  readonly gone: number;
}

const { values: given } = parseArgs({
  options: {
    host: { type: 'string', default: 'localhost' },
    port: { type: 'string', default: '993' },
    tls: { type: 'string', default: 'implicit' },
    ca: { type: 'string' },
    'any-certificate': { type: 'boolean', default: false },
    key: { type: 'string' },
    cert: { type: 'string' },
    login: { type: 'string', default: '' },
    mailbox: { type: 'string', default: 'INBOX' },
    state: { type: 'string', default: 'imap-resync.json' },
  },
});

async function connect(): Promise<ImapClient> {
  const log = openLog({ level: 'warn' });
  const clientKey = await ownKey();
  const { tls } = given;
  if (tls !== 'implicit' && tls !== 'starttls' && tls !== 'none') {
    throw new Error('--tls is implicit, starttls or none.');
  }
  return await openImapClient({
    dialer: openDialer({ clock: systemClock, log }),
    clock: systemClock,
    random: systemRandom,
    log,
    host: given.host,
    port: Number(given.port),
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
  return { key, cert: await readFile(given.cert ?? given.key, 'utf8') };
}

async function logIn(client: ImapClient): Promise<void> {
  // The server may have known us by our key already.
  if (client.greeting.isLoggedIn) return;
  const password = process.env['IMAP_PASSWORD'];
  await client.authenticate('strongest', {
    login: given.login,
    ...(password !== undefined && { password }),
    passwordsInClear: given.tls === 'none',
  });
}

async function readKnown(): Promise<Known | undefined> {
  try {
    return JSON.parse(await readFile(given.state, 'utf8')) as Known;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Whoever reads the file sees the old or the new state, never half of it. */
async function keep(known: Known): Promise<void> {
  const draft = `${given.state}.new`;
  await writeFile(draft, `${JSON.stringify(known, null, 1)}\n`);
  await rename(draft, given.state);
}

/** Opens the mailbox, takes over what is new, and tells it. */
async function resync(client: ImapClient, before: Known | undefined): Promise<Known> {
  // Without a list of known UIDs the server tells of new messages too.
  const options = before && {
    qresync: { uidValidity: before.uidValidity, modSeq: before.modSeq },
  };
  const box = await client.examine(given.mailbox, options);
  if (box.highestModSeq === undefined) throw new Error('The mailbox keeps no mod-sequences.');
  // RFC 7162 §3.2.5.1: under another UIDVALIDITY nothing of what we knew is true any more.
  const isSame = before?.uidValidity === box.uidValidity;
  const messages = new Map(isSame ? Object.entries(before.messages) : []);
  const changes = { added: 0, changed: 0, gone: 0 };
  for (const uid of messages.keys()) {
    if (!hasUid(box.vanishedEarlier, Number(uid))) continue;
    messages.delete(uid);
    changes.gone++;
    console.log(`- ${uid}`);
  }
  if (isSame) {
    for (const message of box.changed) note(message, messages, changes);
  } else {
    const everything = { uids: [[1, STAR]] } as const;
    for await (const message of client.fetch(everything, [{ type: 'FLAGS' }])) {
      note(message, messages, changes);
    }
  }
  summarize(changes, messages.size);
  const modSeq = box.highestModSeq;
  return { uidValidity: box.uidValidity, modSeq, messages: Object.fromEntries(messages) };
}

function note(
  { uid, flags }: FetchedMessage,
  messages: Map<string, readonly string[]>,
  changes: { added: number; changed: number },
): void {
  if (uid === undefined || flags === undefined) return;
  const isNew = !messages.has(`${uid}`);
  messages.set(`${uid}`, flags);
  if (isNew) changes.added++;
  else changes.changed++;
  console.log([isNew ? '+' : '~', uid, ...flags].join(' '));
}

function summarize({ added, changed, gone }: Changes, count: number): void {
  console.log(`${added} new, ${changed} changed, ${gone} gone; ${count} messages`);
}

try {
  await using client = await connect();
  await logIn(client);
  const enabled = await client.enable(['QRESYNC']);
  if (!enabled.has('QRESYNC')) throw new Error('The server cannot resync: it lacks QRESYNC.');
  await keep(await resync(client, await readKnown()));
  await client.logout();
} catch (error) {
  if (!(error instanceof Error)) throw error;
  const code = error instanceof ImapClientError ? ` (${error.code})` : '';
  console.error(`imap-resync: ${error.message}${code}`);
  process.exitCode = 1;
}
