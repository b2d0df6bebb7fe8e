/**
 * Lanes of accounts over real files: what views show when, and how they come back.
 */

import assert from 'node:assert/strict';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { ARRIVAL, INBOX_ID, stored } from '../../support/given.ts';
import { CAUSE, headOf, openedLanes, testPorts, type TestPorts } from '../../support/lane-ports.ts';
import { temporaryDirectory } from '../../support/temporary.ts';
import { someFacts } from '../../support/views.ts';
import type { DeliverMessage } from '#domain/message/decide';
import { isRefusal } from '#domain/values/decision';
import { Fault } from '#domain/values/fault';
import type { Uid } from '#domain/values/ids';
import { Lanes } from '#infra/lanes';
import { ViewsDatabase } from '#infra/read-models';

const DELIVERY: DeliverMessage = {
  type: 'DeliverMessage',
  mailbox: 'Inbox',
  message: stored(),
  arrival: ARRIVAL,
};
const FILE = '7/views.db';

interface Given extends AsyncDisposable {
  readonly ports: TestPorts;
  lanes: Lanes;
  file: string;
  /** Delivers a message; its UID. */
  deliver(): Promise<Uid>;
  /** Closes everything and opens it again. */
  restart(meanwhile?: () => void): Promise<void>;
}

async function given(): Promise<Given> {
  const directory = await temporaryDirectory();
  const ports = testPorts(directory.path);
  const self: Given = {
    ports,
    lanes: await openedLanes(ports),
    file: directory.file(FILE),
    async deliver() {
      const outcome = await self.lanes.execute(7, DELIVERY, CAUSE);
      assert.ok(!isRefusal(outcome));
      return outcome.answer.uid;
    },
    async restart(meanwhile) {
      await self.lanes.close();
      meanwhile?.();
      self.lanes = new Lanes(ports);
    },
    async [Symbol.asyncDispose]() {
      await self.lanes.close();
      await directory[Symbol.asyncDispose]();
    },
  };
  return self;
}

describe('views', () => {
  it('have what a command did when it is answered', async () => {
    await using g = await given();
    const views = await g.lanes.account(7);
    assert.equal(await g.deliver(), 1);
    assert.equal(views.revision, 1);
    assert.equal(views.mailbox(INBOX_ID)?.exists, 1);
    assert.deepEqual(views.uidRuns(INBOX_ID).uids, [[1, 1]]);
  });

  it('do not have it before it is durable', async () => {
    await using g = await given();
    const views = await g.lanes.account(7);
    let seen: number | undefined;
    g.ports.log.before = () => {
      seen = views.mailbox(INBOX_ID)?.exists;
    };
    await g.deliver();
    assert.equal(seen, 0);
  });

  it('never have what was not appended', async () => {
    await using g = await given();
    const views = await g.lanes.account(7);
    g.ports.log.before = () => {
      g.ports.log.before = undefined;
      throw new Fault('DiskFull', 'no room');
    };
    await assert.rejects(g.deliver());
    assert.equal(views.mailbox(INBOX_ID)?.exists, 0);
    assert.equal(await g.deliver(), 1);
    assert.deepEqual(await g.lanes.differences(7), []);
  });

  it('give every caller the same UIDs until the mailbox changes', async () => {
    await using g = await given();
    const views = await g.lanes.account(7);
    await g.deliver();
    const before = views.uidRuns(INBOX_ID);
    assert.equal((await g.lanes.account(7)).uidRuns(INBOX_ID), before);
    await g.deliver();
    assert.deepEqual(views.uidRuns(INBOX_ID).uids, [[1, 2]]);
  });

  it('have an event once whose append was the last thing before a kill (item 226)', async () => {
    await using g = await given();
    await g.deliver();
    const left = g.file.replace('/7/', '/left/');
    mkdirSync(dirname(left));
    g.ports.log.after = () => {
      // As a kill leaves the files: the event is durable, the views are in the middle of it.
      for (const end of ['', '-wal']) copyFileSync(g.file + end, left + end);
    };
    await g.deliver();
    g.ports.log.after = undefined;
    const restarted = new Lanes({ ...g.ports, fileOf: () => left });
    const views = await restarted.account(7);
    assert.equal(views.revision, 2);
    assert.deepEqual(views.uidRuns(INBOX_ID).uids, [[1, 2]]);
    assert.equal(views.mailbox(INBOX_ID)?.exists, 2);
    assert.deepEqual(await restarted.differences(7), []);
    assert.deepEqual(g.ports.warnings, []);
    await restarted.close();
  });

  it('catch up with what others wrote, and tell it', async () => {
    await using g = await given();
    const views = await g.lanes.account(7);
    const event = { type: 'MailboxSubscribed', name: 'elsewhere' } as const;
    await g.ports.log.intrude(7, [event]);
    await g.deliver();
    assert.ok(views.subscriptions().includes('elsewhere'));
    assert.deepEqual(
      g.ports.announced.map(({ revision }) => revision),
      [1, 2],
    );
  });
});

describe('files of an account', () => {
  it('are closed when nobody has asked for a while, and opened by whoever asks', async () => {
    await using g = await given();
    const views = await g.lanes.account(7);
    await g.deliver();
    await setImmediate();
    g.ports.clock.advance(60_000);
    assert.ok(existsSync(`${g.file}-wal`), 'closed although it was just used');
    g.ports.clock.advance(60_000);
    assert.ok(!existsSync(`${g.file}-wal`), 'still open');
    assert.equal(views.mailbox(INBOX_ID)?.exists, 1);
    assert.equal(await g.deliver(), 2);
    assert.equal(views.mailbox(INBOX_ID)?.exists, 2);
  });

  it('continue where they stopped', async () => {
    await using g = await given();
    await g.deliver();
    await g.restart();
    const views = await g.lanes.account(7);
    assert.deepEqual([views.revision, views.mailbox(INBOX_ID)?.exists], [1, 1]);
    assert.deepEqual(g.ports.warnings, []);
  });

  it('get what the log has and they have not', async () => {
    await using g = await given();
    await g.restart();
    const uidNext = { type: 'MailboxSubscribed', name: 'new' } as const;
    await g.ports.log.intrude(7, [uidNext]);
    assert.ok((await g.lanes.account(7)).subscriptions().includes('new'));
  });

  const spoilt: readonly (readonly [what: string, state: string, spoil: (file: string) => void])[] =
    [
      [
        'made by other models',
        'outdated',
        (file) => change(file, 'UPDATE models SET version = version + 1'),
      ],
      ['that are not databases', 'damaged', (file) => writeFileSync(file, 'x'.repeat(8192))],
      ['that are empty', 'damaged', (file) => truncateSync(file, 0)],
      ['with a page that makes no sense', 'damaged', spoilPages],
      [
        'ahead of the log',
        'ahead',
        (file) => change(file, 'UPDATE checkpoints SET revision = 1000'),
      ],
    ];
  for (const [what, state, spoil] of spoilt) {
    it(`${what} are made anew, with a warning`, async () => {
      await using g = await given();
      await g.deliver();
      await g.restart(() => spoil(g.file));
      const views = await g.lanes.account(7);
      assert.deepEqual([views.revision, views.mailbox(INBOX_ID)?.exists], [1, 1]);
      assert.deepEqual(g.ports.warnings, [{ account: 7, state }]);
      assert.equal(await g.deliver(), 2);
    });
  }

  it('are made anew when damage shows in the middle of things', async () => {
    await using g = await given();
    const views = await g.lanes.account(7);
    await g.deliver();
    await setImmediate();
    for (let look = 0; look < 2; look++) g.ports.clock.advance(60_000);
    spoilPages(g.file);
    assert.throws(() => views.mailbox(INBOX_ID), { code: 'ViewsUnavailable' });
    await g.lanes.account(7);
    assert.equal(views.mailbox(INBOX_ID)?.exists, 1);
    assert.deepEqual(g.ports.warnings, [{ account: 7, state: 'damaged' }]);
    assert.equal(await g.deliver(), 2);
    assert.equal(g.ports.announced.length, 2);
    assert.deepEqual(g.ports.fatals, []);
  });

  it('are the same after a rebuild', async () => {
    await using g = await given();
    await g.deliver();
    await g.lanes.execute(
      7,
      { type: 'CopyMessages', source: INBOX_ID, uids: [[1, 1]], target: 'Archive' },
      CAUSE,
    );
    const before = await g.lanes.digests(7);
    assert.equal(await g.lanes.rebuild(7), 3);
    assert.deepEqual(await g.lanes.digests(7), before);
    assert.equal(await g.deliver(), 2);
  });

  it('keep to modseqs that rose when an older log was put back (item 210)', async () => {
    await using g = await given();
    await g.deliver();
    const modSeqs = (): readonly number[] => g.ports.announced.map(({ modSeq }) => modSeq);
    const renumbered = await g.lanes.execute(7, { type: 'RenumberMailboxes' }, CAUSE);
    assert.ok(!isRefusal(renumbered));
    assert.equal(renumbered.modSeq, 3 + 2 ** 20);
    await g.deliver();
    await g.restart();
    await g.deliver();
    assert.deepEqual(modSeqs().slice(-4), [2, 3 + 2 ** 20, 4 + 2 ** 20, 5 + 2 ** 20]);
    assert.deepEqual(await g.lanes.differences(7), []);
    const inbox = (await g.lanes.account(7)).mailboxNamed('Inbox');
    assert.equal(inbox?.highestModSeq, 5 + 2 ** 20);
    assert.equal(inbox?.uidValidity, 1_000_000 + 2 ** 20);
  });

  it('are posted in portions, between which others have their turn', async () => {
    await using g = await given();
    for (let i = 0; i < 10; i++) await g.deliver();
    await g.restart();
    let turns = 0;
    const others = async (signal: AbortSignal): Promise<void> => {
      for (; !signal.aborted; turns++) await setImmediate();
    };
    const seen = new Set<number>();
    const slow = new Lanes({
      ...g.ports,
      factsOf: () => (hash) => {
        seen.add(turns);
        g.ports.clock.advance(20);
        return someFacts(hash);
      },
    });
    await slow.account(7);
    const stop = new AbortController();
    const counting = others(stop.signal);
    assert.equal(await slow.rebuild(7), 11);
    stop.abort();
    await counting;
    assert.ok(seen.size > 3, `${seen.size} turns`);
    assert.deepEqual(await slow.differences(7), []);
    await slow.close();
  });

  it('show which tables differ from the log', async () => {
    await using g = await given();
    await g.deliver();
    assert.deepEqual(await g.lanes.differences(7), []);
    await g.restart(() => change(g.file, 'UPDATE mark_pages SET unseen = 0'));
    assert.deepEqual(await g.lanes.differences(7), ['marks 1']);
  });
});

describe('commands', () => {
  it('that are refused leave the log as it is', async () => {
    await using g = await given();
    const outcome = await g.lanes.execute(7, { type: 'CreateMailbox', name: 'Sent' }, CAUSE);
    assert.ok(isRefusal(outcome));
    assert.equal(await headOf(g.ports), 0);
  });

  it('given at the same time share an append', async () => {
    await using g = await given();
    const uids = await Promise.all(Array.from({ length: 20 }, () => g.deliver()));
    assert.deepEqual(
      uids,
      Array.from({ length: 20 }, (_, i) => i + 1),
    );
    assert.deepEqual(g.ports.log.appends, [20]);
  });

  it('on a closed server are a Fault', async () => {
    await using g = await given();
    await g.lanes.close();
    await assert.rejects(g.deliver(), { code: 'Closing' });
  });
});

/** All but the first, which tells what the others are for. */
function spoilPages(file: string): void {
  writeFileSync(file, readFileSync(file).fill(0xa5, 4096));
}

function change(file: string, statement: string): void {
  const db = new ViewsDatabase(file, 'writer');
  db.execute([statement]);
  db.close();
}
