/**
 * The marks of messages are what the facts say, whatever happens between them: turns of many
 * commands, appends that fail, others who write to the stream, files that are closed for a while,
 * and a rebuild. Decisions see what the turn did before them, conversations see committed turns.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { arbitraryDraws, commandOf, type Draw } from '../support/arbitrary.ts';
import { CONTEXT, INBOX_ID, OPENED, recorded, stored } from '../support/given.ts';
import { CAUSE, openedLanes, testPorts, type TestPorts } from '../support/lane-ports.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { decideAccount, type AccountCommand } from '#domain/account';
import { emptyAccountState, evolveAccount, type AccountRecords } from '#domain/account-state';
import type { AccountEvent } from '#domain/log/streams';
import type { MessageMark } from '#domain/message/state';
import { DELETED, SEEN } from '#domain/values/flags';
import { Fault } from '#domain/values/fault';
import type { MailboxId } from '#domain/values/ids';
import { uidSetOf, type UidSet } from '#domain/values/uid-set';
import type { Lanes } from '#infra/lanes';
import type { AccountViews } from '#projections/account-views';

const ALL: UidSet = [[1, 2 ** 32 - 1]];
/** More than fit into two pages. */
const MANY = 600;

const EVENTS = ['turn', 'turn', 'turn', 'fails', 'intruder', 'idle', 'rebuild'] as const;

describe('the marks of messages', () => {
  it('are what the facts say, whatever happens between them', async () => {
    await fc.assert(
      fc.asyncProperty(
        arbitraryDraws(30),
        fc.array(fc.constantFrom(...EVENTS), { minLength: 30, maxLength: 30 }),
        async (draws, happenings) => {
          await using directory = await temporaryDirectory();
          const play = await Play.begin(testPorts(directory.path));
          for (const [i, happening] of happenings.entries()) {
            const turn = draws.slice(i * 3, i * 3 + 3);
            if (turn.length > 0) await play.step(happening, turn);
          }
          await play.end();
        },
      ),
      { numRuns: 12, seed: 20_260_702, endOnFailure: true },
    );
  });
});

class Play {
  readonly #ports: TestPorts;
  readonly #lanes: Lanes;
  readonly #views: AccountViews;
  /** What the facts say. */
  readonly #right: AccountRecords = emptyAccountState();
  #head = 0;
  #told = 0;
  readonly #expected: AccountEvent[] = [];

  private constructor(ports: TestPorts, lanes: Lanes, views: AccountViews) {
    this.#ports = ports;
    this.#lanes = lanes;
    this.#views = views;
  }

  static async begin(ports: TestPorts): Promise<Play> {
    const lanes = await openedLanes(ports);
    const play = new Play(ports, lanes, await lanes.account(7));
    play.#evolve([OPENED]);
    // Told before anybody listened.
    play.#expected.length = 0;
    const messages = Array.from({ length: MANY }, (_, i) =>
      stored(...(i % 3 === 0 ? ['\\Seen'] : []), ...(i % 7 === 0 ? ['work'] : [])),
    );
    await play.#turn([{ type: 'AppendMessages', mailbox: 'Inbox', messages }]);
    return play;
  }

  async step(happening: (typeof EVENTS)[number], draws: readonly Draw[]): Promise<void> {
    const commands = draws.map((draw) => commandOf(draw, this.#right, this.#head));
    switch (happening) {
      case 'fails':
        await this.#fail(commands);
        break;
      case 'intruder':
        await this.#conflict(commands);
        break;
      case 'idle':
        this.#ports.clock.advance(60_000);
        this.#ports.clock.advance(60_000);
        await this.#turn(commands);
        break;
      case 'rebuild':
        await this.#lanes.rebuild(7);
        break;
      default:
        await this.#turn(commands);
    }
    this.#agreesOnFacts();
    this.#agreesOnMarks(Math.floor(this.#head / 2));
  }

  async end(): Promise<void> {
    assert.deepEqual(await this.#lanes.differences(7), []);
    assert.deepEqual(this.#ports.fatals, []);
    await this.#lanes.close();
  }

  /** Commands of one turn: each is decided as if those before it were facts already. */
  async #turn(commands: readonly AccountCommand[]): Promise<void> {
    await Promise.all(commands.map((command) => this.#lanes.execute(7, command, CAUSE)));
    for (const command of commands) {
      const at = this.#ports.clock.now();
      const decision = decideAccount(command, this.#right, { ...CONTEXT, at });
      if (!('refused' in decision)) this.#evolve(decision.events);
    }
  }

  /** The append does not happen, and so nothing has. */
  async #fail(commands: readonly AccountCommand[]): Promise<void> {
    this.#ports.log.before = () => {
      this.#ports.log.before = undefined;
      throw new Fault('DiskFull', 'no room');
    };
    await Promise.allSettled(commands.map((command) => this.#lanes.execute(7, command, CAUSE)));
    this.#ports.log.before = undefined;
  }

  /** Somebody else was faster: everything is decided again behind that. */
  async #conflict(commands: readonly AccountCommand[]): Promise<void> {
    const { uidNext } = this.#views.mailbox(INBOX_ID) ?? { uidNext: 1 };
    const existing = this.#right.existingOf(INBOX_ID, [[1, uidNext]]);
    const first = existing[0]?.[0];
    const event: AccountEvent =
      first === undefined
        ? { type: 'MailboxSubscribed', name: 'elsewhere' }
        : {
            type: 'FlagsChanged',
            mailboxId: INBOX_ID,
            uids: String(first),
            edit: { add: [`k${this.#head}`], remove: [] },
          };
    await this.#ports.log.intrude(7, [event]);
    this.#evolve([event]);
    // A turn that appends nothing would not notice.
    await this.#turn([{ type: 'SubscribeMailbox', name: `n${this.#head}` }, ...commands]);
  }

  #evolve(events: readonly AccountEvent[]): void {
    for (const fact of recorded(events, this.#head)) evolveAccount(this.#right, fact);
    this.#head += events.length;
    this.#expected.push(...events);
  }

  /** What was decided and told since the last look is what the reference model decided. */
  #agreesOnFacts(): void {
    const news = this.#ports.announced.slice(this.#told).map(({ event }) => event);
    assert.deepEqual(news, this.#expected);
    this.#told += news.length;
    this.#expected.length = 0;
  }

  #agreesOnMarks(since: number): void {
    for (const mailboxId of this.#right.mailboxRecords.mailboxes.keys()) {
      const right = this.#right.marksOf(mailboxId, ALL).map(markOf);
      const where = (test: (mark: MessageMark) => boolean): UidSet =>
        uidSetOf(right.filter(test).map(({ uid }) => uid));
      const views = this.#views;
      assert.deepEqual(views.marks(mailboxId, ALL), right);
      assert.deepEqual(
        views.changedSince(mailboxId, since, ALL),
        right.filter(({ modSeq }) => modSeq > since),
      );
      assert.equal(
        views.firstUnseen(mailboxId),
        right.find(({ bits }) => (bits & SEEN) === 0)?.uid,
      );
      assert.deepEqual(
        views.search(mailboxId, { type: 'flag', flag: '\\Deleted' }),
        where(({ bits }) => (bits & DELETED) !== 0),
      );
      assert.deepEqual(
        views.search(mailboxId, { type: 'keyword', keyword: 'work' }),
        where(({ keywords }) => keywords.split(' ').includes('work')),
      );
      assertRows(views, mailboxId, right);
    }
  }
}

function assertRows(
  views: AccountViews,
  mailboxId: MailboxId,
  right: readonly MessageMark[],
): void {
  assert.deepEqual(views.rows(mailboxId, ALL).map(markOf), right);
}

function markOf({ uid, bits, keywords, modSeq }: MessageMark): MessageMark {
  return { uid, bits, keywords, modSeq };
}
