/**
 * Whatever the hosts of the world do, every queued recipient ends exactly once, and none gets a
 * message again without the record saying that the first time was uncertain.
 */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import type { HostScript } from '../support/fake-hosts.ts';
import { openRemoteWorld } from '../support/remote-world.ts';
import { ALICE } from '../support/smtp.ts';
import type { QueueWorld } from '../support/queue-world.ts';
import type { QueueId } from '#domain/values/ids';

const MINUTE = 60_000;
const RUNS = Number(process.env['RUNS'] ?? 120);

/** What a host does with one command after the other; afterwards it takes everything. */
const FAULTS = [
  'yes',
  'yes',
  'yes',
  '450 4.3.0 later',
  '452 4.5.3 too many',
  '550 5.1.1 no',
  '554 5.7.1 policy',
  '421 4.3.2 bye',
  '250-a\r\n550 b',
  'hello',
  'drop',
  'silence',
  'keep',
] as const;

/** Where STARTTLS is offered, the handshake breaks. */
const WORDS = [[], ['PIPELINING', 'LIMITS RCPTMAX=2'], ['PIPELINING', 'STARTTLS']];

const RECIPIENTS = ['a@one.example', 'b@one.example', 'c@one.example', 'a@two.example'] as const;

const ZONES = {
  'one.example': {
    MX: [
      { preference: 1, exchange: 'mx1.example' },
      { preference: 2, exchange: 'mx2.example' },
    ],
  },
  'two.example': { MX: [{ preference: 1, exchange: 'mx2.example' }] },
  'mx1.example': { A: ['192.0.2.1'], AAAA: ['2001:db8::1'] },
  'mx2.example': { A: ['192.0.2.2'] },
};

function faulty(faults: readonly (typeof FAULTS)[number][], words: readonly string[]): HostScript {
  let asked = 0;
  const answer: HostScript['answer'] = (command) => {
    if (command === 'QUIT') return undefined;
    const fault = faults[asked++] ?? 'yes';
    if (fault === 'yes' || (fault === 'keep' && command !== '.')) return undefined;
    return fault;
  };
  return { answer, words, shown: false };
}

/** By recipient: the outcome of the item, and how often its attempts ended uncertainly. */
interface End {
  readonly outcomes: string[];
  uncertain: number;
}

function endsOf(world: QueueWorld): ReadonlyMap<string, End> {
  const byId = new Map<QueueId, End>();
  const ends = new Map<string, End>();
  const open = new Set<string>();
  for (const event of world.accounts.events(ALICE)) {
    switch (event.type) {
      case 'MessageQueued':
        for (const { queueId, recipient } of event.items) {
          const end: End = { outcomes: [], uncertain: 0 };
          byId.set(queueId, end);
          ends.set(recipient, end);
        }
        break;
      case 'AttemptStarted':
        for (const queueId of event.queueIds) {
          const attempt: string = `${queueId} ${event.attempt}`;
          assert.ok(!open.has(attempt), `attempt ${attempt} began twice`);
          open.add(attempt);
        }
        break;
      case 'AttemptSucceeded':
      case 'AttemptFailed': {
        assert.ok(open.delete(`${event.queueId} ${event.attempt}`), 'an end without a beginning');
        const end = byId.get(event.queueId);
        const isUncertain = event.type === 'AttemptFailed' && event.mayBeTaken === true;
        if (end !== undefined && isUncertain) end.uncertain++;
        break;
      }
      case 'MessageRetired':
        byId.get(event.queueId)?.outcomes.push(event.outcome);
        break;
      default:
    }
  }
  assert.deepEqual([...open], [], 'attempts without an end');
  return ends;
}

it('every recipient ends once, and repetition is only where nobody can know', async () => {
  const one = fc.constantFrom(...FAULTS);
  const hosts = fc.tuple(
    fc.array(one, { maxLength: 40 }),
    fc.array(one, { maxLength: 40 }),
    fc.constantFrom(...WORDS),
  );
  const recipients = fc.subarray([...RECIPIENTS], { minLength: 1 });
  await fc.assert(
    fc.asyncProperty(hosts, recipients, async ([first, second, words], to) => {
      const script = faulty(first, words);
      const remote = await openRemoteWorld({
        zones: ZONES,
        hosts: {
          '192.0.2.1': script,
          '2001:db8::1': script,
          '192.0.2.2': faulty(second, words),
        },
      });
      const { world } = remote;
      await world.submit(ALICE, ...to);
      for (let i = 0; i < 60 && world.items(ALICE).length > 0; i++) {
        await world.pass(i % 2 === 0 ? MINUTE : 40 * MINUTE);
      }
      const stopping = world.runner?.stop();
      // Goodbyes that nobody answers take a while.
      await world.pass(MINUTE);
      await stopping;
      for (const [recipient, { outcomes, uncertain }] of endsOf(world)) {
        assert.equal(outcomes.length, 1, `${recipient} ended as ${outcomes.join(' ')}`);
        const copies = remote.hosts.mail.filter((mail) => mail.to.includes(recipient)).length;
        const delivered = outcomes[0] === 'delivered' ? 1 : 0;
        assert.ok(copies >= delivered, `${recipient} was not sent`);
        assert.ok(copies <= delivered + uncertain, `${recipient} was sent ${copies} times`);
      }
      assert.deepEqual(world.logged, []);
    }),
    { numRuns: RUNS },
  );
});
