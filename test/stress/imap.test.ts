/**
 * Many connections of one account do whatever comes to mind on shared mailboxes, and everybody
 * keeps what he was told. Every now and then all stop and catch up: what each of them believes must
 * be what a fresh view says, and what the log says when it is read with the reference model.
 *
 * `STRESS_MINUTES` (1), `STRESS_CONNECTIONS` (24) and `SEED` say how long, how many, and with which
 * draws; the timing of the machine adds its own chance.
 */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setImmediate as nextRound } from 'node:timers/promises';
import { act, profileOf } from './actions.ts';
import { Chance } from './chance.ts';
import { Ledger } from './ledger.ts';
import { StressClient } from './stress-client.ts';
import { openTestServer, type TestServer } from '../support/server.ts';
import { ALICE, PASSWORD, type World } from '../support/world.ts';
import { emptyAccountState, evolveAccount, type AccountRecords } from '#domain/account-state';
import { accountFactsOf } from '#domain/log/fact';
import { accountStream } from '#domain/log/streams';
import { flagNames } from '#domain/values/flags';
import type { AccountViews, MailboxSummary } from '#projections/account-views';

const MINUTES = Number(process.env['STRESS_MINUTES'] ?? 1);
const CONNECTIONS = Number(process.env['STRESS_CONNECTIONS'] ?? 24);
const SEED = Number(process.env['SEED'] ?? Date.now() & 0xffffff);
const LOGIN = `alice@example.org ${PASSWORD}`;
/** What each client does before all stop. */
const ACTS_PER_ROUND = 15;
const PAGE_EVENTS = 1000;
/** No round takes so long. */
const PATIENCE_MS = 30_000;
/** Removals are forgotten early, so that QRESYNC meets both cases. */
const REMOVALS_KEPT = 400;

it(`${CONNECTIONS} connections of one account agree with the log, seed ${SEED}`, async (t) => {
  await using run = await Run.begin();
  const end = performance.now() + MINUTES * 60_000;
  try {
    do await run.round();
    while (performance.now() < end);
    await run.finish();
  } catch (error) {
    // Closing a server in the middle of everything may fail too, and would be all that is shown.
    t.diagnostic(error instanceof Error ? (error.stack ?? error.message) : String(error));
    throw error;
  }
  t.diagnostic(
    `seed ${SEED}: ${run.commands} commands on ${run.connections} connections, ` +
      `${run.events} events, ${run.rounds} comparisons of ${CONNECTIONS} clients`,
  );
});

/** The log takes its time, so that others get their turn meanwhile. */
function slowDown({ eventLog }: World, chance: Chance): void {
  const pause = async (): Promise<void> => {
    for (let rounds = chance.below(8); rounds > 0; rounds--) await nextRound();
  };
  const append = eventLog.append.bind(eventLog);
  eventLog.append = async (...given) => {
    await pause();
    const appended = await append(...given);
    await pause();
    return appended;
  };
}

/** What one message is in a mailbox. */
interface Fact {
  readonly flags: string;
  readonly modSeq: number;
}

class Run implements AsyncDisposable {
  rounds = 0;
  connections = 0;
  readonly #server: TestServer;
  readonly #views: AccountViews;
  readonly #ledger = new Ledger();
  readonly #clients: readonly StressClient[];
  readonly #chances: readonly Chance[];
  readonly #failure = Promise.withResolvers<never>();
  readonly #records: AccountRecords = emptyAccountState();
  #revision = -1;
  #base = 0;
  /** By UIDVALIDITY: the UID that would be given out next, by what the log says. */
  readonly #uidNexts = new Map<number, number>();

  private constructor(server: TestServer, views: AccountViews) {
    this.#server = server;
    this.#views = views;
    this.#chances = Array.from({ length: CONNECTIONS }, (_, i) => new Chance(SEED + i * 7919));
    this.#clients = this.#chances.map(
      (_, i) =>
        new StressClient(
          `c${i}`,
          () => {
            const place = ++this.connections;
            const ip = `10.${(place >> 16) & 255}.${(place >> 8) & 255}.${place & 255}`;
            return server.connect({ ip });
          },
          this.#ledger,
          (error) => this.#failure.reject(error),
        ),
    );
    this.#failure.promise.catch(() => undefined);
  }

  static async begin(): Promise<Run> {
    const server = await openTestServer({ compress: true }, { removalsKept: REMOVALS_KEPT });
    await server.world.execute(ALICE, { type: 'CreateMailbox', name: 'shared' });
    slowDown(server.world, new Chance(SEED));
    return new Run(server, await server.world.views.account(ALICE));
  }

  get commands(): number {
    return this.#clients.reduce((sum, { commands }) => sum + commands, 0);
  }

  get events(): number {
    return this.#revision + 1;
  }

  async round(): Promise<void> {
    this.rounds++;
    await this.#together((client, chance) => this.#work(client, chance));
    this.#server.world.clock.advance(1000);
    // What a client began before it broke off may still be carried out.
    let revision: number;
    do {
      revision = this.#views.revision;
      await this.#together((client) => this.#catchUp(client));
    } while (this.#views.revision !== revision);
    for (const client of this.#clients) this.#compare(client);
    await this.#readLog();
    await this.#together((client, chance) => this.#resync(client, chance));
    this.#ledger.forget();
  }

  /** The log, the views that grew, and views made anew say the same. */
  async finish(): Promise<void> {
    await this.#together(async (client) => client.cut());
    assert.deepEqual(await this.#server.world.views.differences(ALICE), []);
    for (const [uidValidity, uids] of this.#ledger.acknowledged) {
      const next = this.#uidNexts.get(uidValidity);
      assert.ok(next !== undefined, `no mailbox has ever had UIDVALIDITY ${uidValidity}`);
      assert.ok(uids.size < next, 'UIDs were told that were never given out');
    }
  }

  async #together(task: (client: StressClient, chance: Chance) => Promise<void>): Promise<void> {
    const all = this.#clients.map((client, i) => task(client, this.#chances[i] as Chance));
    const patience = setTimeout(() => this.#failure.reject(this.#stuck()), PATIENCE_MS);
    try {
      await Promise.race([Promise.all(all), this.#failure.promise]);
    } finally {
      clearTimeout(patience);
    }
  }

  /** Somebody waits and nothing comes. */
  #stuck(): Error {
    const waiting = this.#clients.filter(({ unanswered }) => unanswered.length > 0);
    const texts = waiting.map(({ name, unanswered }) => `${name}: ${unanswered.join(' | ')}`);
    const error = new Error(`stuck:\n${texts.join('\n')}`);
    return waiting[0]?.complaint(error.message) ?? error;
  }

  async #work(client: StressClient, chance: Chance): Promise<void> {
    for (let acts = 0; acts < ACTS_PER_ROUND; acts++) {
      if (!client.isConnected) await client.connect(LOGIN, profileOf(chance));
      await act(client, chance);
      if (chance.percent(10)) client.keep();
      for (let rest = chance.below(6); rest > 0; rest--) await nextRound();
    }
  }

  /** Everybody hears what he missed. */
  async #catchUp(client: StressClient): Promise<void> {
    if (!client.isConnected) return;
    if (client.news !== 'usual') {
      const words = '(selected-delayed (MessageNew MessageExpunge FlagChange))';
      await client.command(`NOTIFY SET ${words}`);
      client.news = 'delayed';
    }
    const { status, code } = await client.command(client.open === undefined ? 'NOOP' : 'CHECK');
    if (status === 'NO' && code === 'NONEXISTENT') client.leave();
    await client.fetchUnknown();
  }

  /** Nobody does anything: the client believes what is the case. */
  #compare(client: StressClient): void {
    const { open } = client;
    if (open === undefined) return;
    const mailbox = this.#views.mailboxes().find((each) => each.uidValidity === open.uidValidity);
    const about = `in ${open.name}`;
    if (mailbox === undefined) throw client.complaint('has a mailbox open that is gone');
    const facts = this.#factsOf(mailbox);
    const believed = open.uids.join();
    if (believed !== [...facts.keys()].join()) {
      throw client.complaint(`${about}: believes ${believed}, not ${[...facts.keys()].join()}`);
    }
    for (const [uid, { flags, modSeq }] of facts) {
      const known = open.messages.get(uid);
      if ((known?.flags ?? flags) !== flags || (known?.modSeq ?? modSeq) !== modSeq) {
        const is = JSON.stringify({ flags, modSeq });
        throw client.complaint(`${about}: ${uid} is ${is}, but not ${JSON.stringify(known)}`);
      }
    }
    if (client.profile.condstore && open.modSeq > mailbox.highestModSeq) {
      throw client.complaint(`${about}: ${open.modSeq} is above ${mailbox.highestModSeq}`);
    }
    assert.ok(mailbox.highestModSeq >= this.#ledger.leastModSeq(open.uidValidity), about);
  }

  /** Some come back from where they were once, and find everything. */
  async #resync(client: StressClient, chance: Chance): Promise<void> {
    const { isConnected, profile } = client;
    if (!isConnected || !profile.qresync || client.caches.size === 0 || !chance.percent(50)) return;
    const entries = [...client.caches.values()];
    const { cache } = chance.one(entries);
    const mailbox = this.#views.mailboxes().find((each) => each.uidValidity === cache.uidValidity);
    if (mailbox === undefined) {
      client.caches.delete(cache.uidValidity);
      return;
    }
    const words = `${cache.uidValidity} ${cache.modSeq}`;
    await client.select(`SELECT "${mailbox.name}" (QRESYNC (${words}))`, { cache });
    await client.fetchUnknown();
    if (this.#views.revision === this.#revision) this.#compare(client);
  }

  #factsOf({ mailboxId }: MailboxSummary): ReadonlyMap<number, Fact> {
    const marks = this.#views.marks(mailboxId, this.#views.uidRuns(mailboxId).uids);
    return new Map(
      marks.map((mark) => [mark.uid, { flags: flagNames(mark).join(' '), modSeq: mark.modSeq }]),
    );
  }

  /** The log as the reference model reads it says what the views say. */
  async #readLog(): Promise<void> {
    const { eventLog } = this.#server.world;
    for (;;) {
      const page = await eventLog.read(accountStream(ALICE), this.#revision + 1, PAGE_EVENTS);
      const facts = accountFactsOf(page, this.#base);
      for (const fact of facts) {
        if (fact.event.type === 'MailboxDeleted') this.#rememberMailboxes();
        evolveAccount(this.#records, fact);
      }
      this.#revision = facts.at(-1)?.revision ?? this.#revision;
      this.#rememberMailboxes();
      if (facts.length < PAGE_EVENTS) break;
    }
    if (this.#views.revision !== this.#revision) return;
    for (const mailbox of this.#views.mailboxes()) {
      const { mailboxId, name } = mailbox;
      const { uids } = this.#views.uidRuns(mailboxId);
      const records = this.#records.marksOf(mailboxId, [[1, 2 ** 32 - 1]]);
      const right = records.map(
        (each) => `${each.uid} ${flagNames(each).join(' ')} ${each.modSeq}`,
      );
      const ours = this.#views
        .marks(mailboxId, uids)
        .map((each) => `${each.uid} ${flagNames(each).join(' ')} ${each.modSeq}`);
      assert.deepEqual(ours, right, `the view of ${name}`);
      assert.equal(mailbox.highestModSeq, this.#records.mailbox(mailboxId)?.highestModSeq, name);
    }
  }

  #rememberMailboxes(): void {
    for (const mailbox of this.#records.mailboxRecords.mailboxes.values()) {
      this.#uidNexts.set(mailbox.uidValidity, mailbox.uidNext);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
  }
}
