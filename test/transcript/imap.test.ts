/**
 * Every transcript in `imap/`, each against a server of its own.
 *
 * Settings: `about`; `items`, numbers of the list of what the IMAP server must do; `mailbox: M6`
 * puts six messages into Inbox, whose modseqs are <m1> to <m6>, with <V> as UIDVALIDITY and <H> as
 * HIGHESTMODSEQ; `strict: yes` is the switch of that name; with `slow: 4`, to read a message takes
 * four seconds; with `annotations: 999` the account has so many, with `quota: 10240` room for so
 * many octets; with `hidden: A B` these capabilities are hidden; `forget: 1` is for how many
 * modseqs removals are remembered; with `renumbered: yes` an older log was put back after that.
 */

import { readdirSync, readFileSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import { describe, it } from 'node:test';
import { LineClient } from '../support/line-client.ts';
import { mail } from '../support/mail.ts';
import { openTestServer, type TestServer } from '../support/server.ts';
import { parseTranscript, runTranscript, type Stage } from '../support/transcript.ts';
import { ALICE, PASSWORD, type World } from '../support/world.ts';

const DIRECTORY = new URL('imap/', import.meta.url);

/** Rounds of the event loop that a second of waiting gives to whoever is to be woken. */
const ROUNDS_PER_SECOND = 2;

describe('transcripts of IMAP', () => {
  for (const file of readdirSync(DIRECTORY).filter((name) => name.endsWith('.imap'))) {
    const transcript = parseTranscript(readFileSync(new URL(file, DIRECTORY), 'utf8'));
    const { settings } = transcript;
    it(`${file}: ${settings.get('about')} (${settings.get('items')})`, async () => {
      await using server = await openTestServer(
        { strict: settings.get('strict') === 'yes' },
        settings.has('forget') ? { removalsKept: Number(settings.get('forget')) } : {},
      );
      const values =
        settings.get('mailbox') === 'M6'
          ? await fillInbox(server.world)
          : new Map<string, string>();
      server.world.change(ALICE, {
        ...(settings.has('quota') && { quotaBytes: Number(settings.get('quota')) }),
        hiddenCapabilities: settings.get('hidden')?.split(' ') ?? [],
      });
      const count = Number(settings.get('annotations') ?? 0);
      if (count > 0) await annotate(server.world, count);
      if (settings.get('renumbered') === 'yes') {
        await server.world.execute(ALICE, { type: 'RenumberMailboxes' });
      }
      slowDown(server.world, Number(settings.get('slow') ?? 0));
      await runTranscript(transcript, stageOf(server, values));
    });
  }
});

async function annotate(world: World, count: number): Promise<void> {
  const entries = Array.from({ length: count }, (_, i) => ({
    name: `/private/n${i}`,
    value: 'x',
  }));
  await world.execute(ALICE, { type: 'SetAnnotations', entries });
}

/** To read octets of a message takes so long. */
function slowDown({ bodies, clock }: World, seconds: number): void {
  if (seconds === 0) return;
  for (const part of ['read', 'header'] as const) {
    const read = bodies[part].bind(bodies);
    bodies[part] = (accountId, hash) => {
      clock.advance(seconds * 1000);
      return read(accountId, hash);
    };
  }
}

function stageOf(server: TestServer, values: ReadonlyMap<string, string>): Stage {
  return {
    values,
    greeting: [`LOGIN alice@example.org ${PASSWORD}`],
    goodbye: { send: 'bye LOGOUT', expect: ['* BYE …', 'bye OK …'] },
    connect(how) {
      const secured = (stream: Duplex): void => client.attach(stream);
      const [tls, fingerprint, resumed] = how.split(':');
      const key =
        fingerprint === undefined ? undefined : { fingerprint, resumed: resumed === 'resumed' };
      const stream = server.connect({ tls: tls === 'tls', key, secured });
      const client: LineClient = new LineClient(stream);
      return client;
    },
    async advance(seconds) {
      for (let round = 0; round < seconds * ROUNDS_PER_SECOND; round++) {
        server.world.clock.advance(1000 / ROUNDS_PER_SECOND);
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
  };
}

/** M6: six messages, each by a command of its own, a minute apart, the last a minute ago. */
async function fillInbox(world: World): Promise<ReadonlyMap<string, string>> {
  const views = await world.views.account(ALICE);
  const values = new Map<string, string>();
  for (let n = 1; n <= 6; n++) {
    const octets = mail(
      `From: sender${n}@example.org`,
      'To: alice@example.org',
      `Subject: message ${n}`,
      `Date: ${DAYS[n - 1]}, ${n} Feb 2022 10:00:00 +0000`,
      `Message-ID: <${n}@example.org>`,
      ...(n === 2 ? ['X-Foo: bar'] : []),
      '',
      `body of message ${n}`,
    );
    await world.append(ALICE, 'Inbox', {
      octets,
      receivedAt: world.clock.now() - (7 - n) * 60_000,
    });
    values.set(`m${n}`, String(views.mailboxNamed('Inbox')?.highestModSeq));
  }
  const inbox = views.mailboxNamed('Inbox');
  values.set('H', String(inbox?.highestModSeq));
  values.set('V', String(inbox?.uidValidity));
  return values;
}

const DAYS = ['Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
