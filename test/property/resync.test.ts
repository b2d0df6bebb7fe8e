/**
 * Whatever happens to a mailbox, a client that resyncs from any past point ends with what is there:
 * with known UIDs and match data or without, after its connection was cut anywhere, and while it
 * listens and works itself. So does a client that knows nothing of modseqs, and one that asks with
 * NOTIFY for some of the news only and then for all.
 *
 * `RESYNC_RUNS` sets how many histories are tried, `SEED` which ones.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { LineClient } from '../support/line-client.ts';
import { ResyncClient } from '../support/resync-client.ts';
import { openTestServer, type TestServer } from '../support/server.ts';
import { ALICE, PASSWORD, type WorldOptions } from '../support/world.ts';
import type { AccountCommand } from '#domain/account';
import { flagNames } from '#domain/values/flags';
import { UidRuns } from '#domain/values/uid-runs';
import { uidSetOf, uidsOf, type UidSet } from '#domain/values/uid-set';
import type { AccountViews, MailboxSummary } from '#projections/account-views';

const STEPS_MAX = 240;
const RUNS = {
  numRuns: Number(process.env['RESYNC_RUNS'] ?? 20),
  seed: Number(process.env['SEED'] ?? 20_260_612),
  endOnFailure: true,
};

/** Numbers that one step is made of. */
interface Draw {
  readonly kind: number;
  readonly a: number;
  readonly bits: number;
}

const draws = fc.array(
  fc.record({
    kind: fc.nat({ max: 99 }),
    a: fc.nat({ max: 999 }),
    bits: fc.nat({ max: 2 ** 16 - 1 }),
  }),
  { maxLength: STEPS_MAX, size: 'max' },
);

describe('a client that resyncs', () => {
  const check = (worldOptions: WorldOptions): Promise<void> =>
    fc.assert(
      fc.asyncProperty(draws, async (history) => {
        await using play = await Play.begin(worldOptions);
        for (const draw of history) await play.step(draw);
        await play.end();
      }),
      RUNS,
    );

  it('ends with what is there, from any past point (items 208, 209)', () => check({}));

  it('does so when removals were forgotten meanwhile (items 208, 209)', () =>
    check({ removalsKept: 8 }));
});

const FLAGS = ['\\Seen', '\\Deleted', '\\Flagged', 'work', 'later'];
/** All, some and none; delayed, for a client cannot tell which numbers hold between commands. */
const NEWS = [
  'SET (selected-delayed (MessageNew MessageExpunge FlagChange))',
  'SET (selected-delayed (MessageNew MessageExpunge))',
  'SET (personal (MessageNew MessageExpunge))',
  'NONE',
];
const LOGIN = `alice@example.org ${PASSWORD}`;

class Play implements AsyncDisposable {
  readonly #server: TestServer;
  readonly #views: AccountViews;
  readonly #listeners: readonly ResyncClient[];
  readonly #visitors: readonly ResyncClient[];
  /** Listeners that have said NOTIFY, and whether they hear of the mailbox. */
  readonly #asking = new Map<ResyncClient, 'news' | 'nothing'>();
  #names = 0;
  #connections = 0;

  private constructor(server: TestServer, views: AccountViews) {
    this.#server = server;
    this.#views = views;
    const client = (qresync: boolean): ResyncClient =>
      new ResyncClient(() => this.#connect(), LOGIN, 'Inbox', qresync);
    this.#listeners = [client(true), client(false), client(true), client(false)];
    this.#visitors = [client(true), client(true)];
  }

  static async begin(worldOptions: WorldOptions): Promise<Play> {
    const server = await openTestServer({}, worldOptions);
    const play = new Play(server, await server.world.views.account(ALICE));
    await play.#append(5, 0);
    for (const listener of play.#listeners) await listener.open();
    return play;
  }

  async step(draw: Draw): Promise<void> {
    const { kind, a } = draw;
    if (kind < 45) return this.#happen(draw);
    if (kind >= 80) return this.#visit(draw);
    // Others go on while a client works.
    const meanwhile = a % 4 === 0 ? this.#happen({ ...draw, kind: a % 43 }) : undefined;
    await this.#listen(draw);
    await meanwhile;
  }

  /** Everybody learns what there is. */
  async end(): Promise<void> {
    for (const listener of this.#listeners) {
      if (!listener.isConnected) {
        this.#asking.delete(listener);
        await listener.open();
      }
      await this.#catchUp(listener);
    }
    for (const visitor of this.#visitors) {
      assert.ok(await visitor.open());
      this.#agrees(visitor);
    }
  }

  /** Something that another session does. */
  async #happen({ kind, a, bits }: Draw): Promise<void> {
    const uids = this.#some(bits);
    const mailboxId = this.#inbox().mailboxId;
    const flag = FLAGS[a % FLAGS.length] as string;
    if (kind < 12) return this.#append(1 + (a % 3), bits);
    if (kind < 26) {
      const op = a % 3 === 0 ? 'remove' : 'add';
      return this.#try({ type: 'ChangeFlags', mailboxId, uids, op, flags: [flag] });
    }
    if (kind < 30) return this.#try({ type: 'ExpungeMessages', mailboxId });
    if (kind < 32) {
      const uid = uids[0]?.[0] ?? 1;
      const target = a % 2 === 0 ? 'Inbox' : 'Archive';
      const message = { ...MESSAGE, flags: [flag] };
      return this.#try({ type: 'ReplaceMessage', source: mailboxId, uid, target, message });
    }
    if (kind < 36) {
      return this.#try({ type: 'MoveMessages', source: mailboxId, uids, target: 'Archive' });
    }
    if (kind < 40) {
      return this.#try({ type: 'CopyMessages', source: mailboxId, uids, target: 'Archive' });
    }
    if (kind < 43) return this.#moveBack(bits);
    if (kind < 44) return this.#try({ type: 'SubscribeMailbox', name: `name${a}` });
    await this.#try({ type: 'RenameMailbox', from: 'Inbox', to: `old${++this.#names}` });
  }

  /** A client with the mailbox open does something, or loses its connection. */
  async #listen({ kind, a, bits }: Draw): Promise<void> {
    const listener = this.#listeners[a % this.#listeners.length] as ResyncClient;
    if (!listener.isConnected) {
      this.#asking.delete(listener);
      await listener.open(bits % 2 === 0 ? {} : { matchEvery: 1 + (bits % 3) });
      return;
    }
    const uid = listener.uids[bits % Math.max(1, listener.uids.length)] ?? 1;
    const count = listener.count;
    if (kind < 50) await listener.run('NOOP', true);
    else if (kind < 55 && count > 0) {
      await listener.run(`FETCH ${1 + (bits % count)} (UID FLAGS${modSeqOf(listener)})`, false);
    } else if (kind < 59 && count > 0) {
      await listener.run(`STORE ${1 + (bits % count)} +FLAGS (\\Answered)`, false);
    } else if (kind < 62) await listener.run(`UID STORE ${uid}:* -FLAGS (\\Seen)`, true);
    else if (kind < 65) await this.#storeSilently(listener, uid);
    else if (kind < 68) await listener.run('EXPUNGE', true);
    else if (kind < 70) await listener.run(`UID MOVE ${uid} Archive`, true);
    else if (kind < 73) await listener.run('SEARCH UNSEEN', false);
    else if (kind < 75) {
      // What is gone without a word cannot be fetched.
      if (this.#asking.get(listener) !== 'nothing') await listener.fetchUnknown();
    } else if (kind < 77) await this.#askNews(listener, bits);
    else if (kind < 79) await this.#catchUp(listener);
    else listener.cut();
  }

  /** The last two listeners ask for some of the news, or for none. */
  async #askNews(listener: ResyncClient, bits: number): Promise<void> {
    if (this.#listeners.indexOf(listener) < 2) return;
    const news = NEWS[bits % NEWS.length] ?? '';
    this.#asking.set(listener, news.includes('selected') ? 'news' : 'nothing');
    await listener.run(`NOTIFY ${news}`, true);
  }

  /** RFC 9051 §6.4.6: the client knows what it asked for, and hears of what others did. */
  async #storeSilently(listener: ResyncClient, uid: number): Promise<void> {
    if (!listener.flags.has(uid)) return;
    listener.flags.set(uid, '\\Draft');
    await listener.run(`UID STORE ${uid} FLAGS.SILENT (\\Draft)`, true);
  }

  /** A client comes, resyncs, and goes; or is cut off meanwhile. */
  async #visit({ kind, a, bits }: Draw): Promise<void> {
    const visitor = this.#visitors[a % this.#visitors.length] as ResyncClient;
    const known = kind % 4 === 0 ? uidSetOf(visitor.uids) : undefined;
    const completed = await visitor.open({
      ...(known !== undefined && known.length > 0 && { known }),
      ...(kind % 3 === 0 && { matchEvery: 1 + (a % 4) }),
      ...(kind >= 92 && { cutAfter: 500 + (bits % 1000) }),
    });
    if (completed) this.#agrees(visitor);
    if (bits % 3 === 0) visitor.cut();
  }

  async #catchUp(listener: ResyncClient): Promise<void> {
    // RFC 5465 §3.1: whoever asks for all news hears what he missed.
    const isAsking = this.#asking.has(listener);
    await listener.run(isAsking ? `NOTIFY ${NEWS[0]}` : 'NOOP', true);
    if (isAsking) this.#asking.set(listener, 'news');
    await listener.fetchUnknown();
    this.#agrees(listener);
  }

  #agrees(client: ResyncClient): void {
    const { mailboxId } = this.#inbox();
    const marks = this.#views.marks(mailboxId, this.#views.uidRuns(mailboxId).uids);
    assert.deepEqual(
      client.uids.map((uid) => `${uid} ${client.flags.get(uid)}`),
      marks.map((mark) => `${mark.uid} ${flagNames(mark).join(' ')}`),
    );
  }

  #inbox(): MailboxSummary {
    const inbox = this.#views.mailboxNamed('Inbox');
    assert.ok(inbox !== undefined);
    return inbox;
  }

  /** Some of the messages that are there. */
  #some(bits: number, name = 'Inbox'): UidSet {
    const mailbox = this.#views.mailboxNamed(name);
    const runs = mailbox === undefined ? UidRuns.empty : this.#views.uidRuns(mailbox.mailboxId);
    return uidSetOf(uidsOf(runs.uids).filter((uid) => ((bits >> (uid % 16)) & 1) === 1));
  }

  async #append(count: number, bits: number): Promise<void> {
    const flags = FLAGS.filter((_, i) => ((bits >> i) & 1) === 1);
    await this.#try({
      type: 'AppendMessages',
      mailbox: 'Inbox',
      messages: Array.from({ length: count }, () => ({ ...MESSAGE, flags })),
    });
  }

  async #moveBack(bits: number): Promise<void> {
    const archive = this.#views.mailboxNamed('Archive');
    assert.ok(archive !== undefined);
    const uids = this.#some(bits, 'Archive');
    await this.#try({ type: 'MoveMessages', source: archive.mailboxId, uids, target: 'Inbox' });
  }

  /** A refusal is as good as nothing happening. */
  async #try(command: AccountCommand): Promise<void> {
    await this.#server.world.commands.execute(ALICE, command, { actor: 'test' });
  }

  /** Each from another place: nobody is to be too many. */
  #connect(): LineClient {
    const place = ++this.#connections;
    return new LineClient(this.#server.connect({ ip: `10.${place >> 8}.${place & 255}.1` }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
  }
}

/** Its content is nowhere: nobody reads it here. */
const MESSAGE = {
  body: 'ab'.repeat(32),
  prefix: '',
  sizeBytes: 100,
  receivedAt: 0,
  zoneMinutes: 0,
};

function modSeqOf(client: ResyncClient): string {
  return client.qresync ? ' MODSEQ' : '';
}
