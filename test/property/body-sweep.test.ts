/**
 * Bodies are swept only when nothing refers to them, whatever happened; what the views say of them
 * does not depend on when they were tidied up, nor on whether bodies were there for a replay.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { arbitraryDraws, commandOf, type Draw } from '../support/arbitrary.ts';
import { recorded } from '../support/given.ts';
import { emptyViews, someFacts, type PostedViews } from '../support/views.ts';
import { decideAccount, type AccountCommand } from '#domain/account';
import { emptyAccountState, evolveAccount, type AccountRecords } from '#domain/account-state';
import { DEFAULT_POLICY } from '#domain/directory/settings';
import type { AccountFact } from '#domain/log/streams';
import { bodiesOf } from '#domain/message/state';
import type { BodyHash } from '#domain/values/ids';
import {
  forgetReleasesInMail,
  indexBodies,
  lastSweptBodies,
  NO_RELEASED_BODY,
  releasedBodiesAfter,
  unknownBodies,
  unneededBodies,
} from '#projections/body-reads';
import { sweepOrphans } from '#projections/orphans';

const SEED = 20_261_123;
const MINUTE_MS = 60_000;

interface Step {
  readonly fact: AccountFact;
  /** What is true before it. */
  readonly used: ReadonlySet<BodyHash>;
}

interface Told {
  readonly steps: readonly Step[];
  readonly state: AccountRecords;
  /** Every body that was ever named. */
  readonly bodies: ReadonlySet<BodyHash>;
  /** Bodies whose files are there in the end. */
  readonly there: ReadonlySet<BodyHash>;
}

function usedIn(state: AccountRecords): ReadonlySet<BodyHash> {
  const queued = Array.from(state.queueRecords.items.values(), ({ body }) => body);
  return new Set([...bodiesOf(state.messageRecords), ...queued]);
}

function sweepOf(draw: Draw, bodies: ReadonlySet<BodyHash>, at: number): AccountCommand {
  const expungedUpTo = at - (draw.a % 5) * MINUTE_MS;
  const retiredUpTo = at - (draw.b % 5) * MINUTE_MS;
  return { type: 'SweepBodies', bodies: [...bodies], expungedUpTo, retiredUpTo };
}

/** Everything of a mailbox goes. */
function purgeOf(draw: Draw, state: AccountRecords): readonly AccountCommand[] {
  const mailboxIds = [...state.mailboxRecords.mailboxes.keys()];
  const mailboxId = mailboxIds[draw.a % mailboxIds.length] ?? 1;
  const flags = ['\\Deleted'];
  return [
    { type: 'ChangeFlags', mailboxId, uids: [[1, 1000]], op: 'add', flags },
    { type: 'ExpungeMessages', mailboxId },
  ];
}

function commandsOf(draw: Draw, told: Pick<Told, 'steps' | 'state' | 'bodies'>, at: number) {
  if (draw.c % 4 === 0) return [sweepOf(draw, told.bodies, at)];
  if (draw.c % 8 === 1) return purgeOf(draw, told.state);
  return [commandOf(draw, told.state, told.steps.length)];
}

function bodiesNamed({ event }: AccountFact): readonly BodyHash[] {
  switch (event.type) {
    case 'MessageDelivered':
    case 'MessageReplaced':
      return [event.message.body];
    case 'MessagesAppended':
      return event.messages.map(({ body }) => body);
    case 'MessageQueued':
      return [event.body];
    default:
      return [];
  }
}

/** One draw in four sweeps everything that it may, one in eight empties a mailbox. */
function tell(draws: readonly Draw[]): Told {
  const state = emptyAccountState();
  const steps: Step[] = [];
  const bodies = new Set<BodyHash>();
  const there = new Set<BodyHash>();
  const note = (fact: AccountFact): void => {
    const used = usedIn(state);
    evolveAccount(state, fact);
    steps.push({ fact, used });
    for (const body of bodiesNamed(fact)) there.add(body);
    for (const body of bodiesNamed(fact)) bodies.add(body);
    if (fact.event.type === 'BodiesSwept') for (const body of fact.event.bodies) there.delete(body);
  };
  const opening: Draw = { kind: 0, a: 0, b: 0, c: 2, bits: 0 };
  for (const [i, draw] of [opening, ...draws].entries()) {
    const at = 1_000_000_000 + i * MINUTE_MS;
    for (const command of commandsOf(draw, { steps, state, bodies }, at)) {
      const decision = decideAccount(command, state, { accountId: 7, at, policy: DEFAULT_POLICY });
      if ('refused' in decision) continue;
      for (const fact of recorded(decision.events, steps.length, at)) note(fact);
    }
  }
  return { steps, state, bodies, there };
}

function check(property: (told: Told) => void): void {
  const tales = arbitraryDraws(80).map(tell);
  fc.assert(fc.property(tales, property), { numRuns: 45, seed: SEED });
}

function agree(views: PostedViews, { state, bodies }: Told): void {
  for (const body of bodies) {
    assert.deepEqual(views.state.bodyRelease(body), state.bodyRelease(body), body);
  }
  const used = usedIn(state);
  const unneeded = unneededBodies(views.db, [...bodies]);
  assert.deepEqual(new Set(unneeded), bodies.difference(used));
}

describe('bodies', () => {
  it('are swept only when nothing refers to them', () => {
    let swept = 0;
    check(({ steps }) => {
      for (const { fact, used } of steps) {
        if (fact.event.type !== 'BodiesSwept') continue;
        swept += fact.event.bodies.length;
        for (const body of fact.event.bodies) assert.ok(!used.has(body), body);
      }
    });
    assert.ok(swept > 50, `only ${swept} bodies were swept`);
  });

  it('are let go of when the views say so, however they are tidied up', () => {
    check((told) => {
      using views = emptyViews();
      for (const [i, { fact }] of told.steps.entries()) {
        views.post([fact]);
        if (i % 3 === 0) sweepOrphans(views.db, 2);
        if (i % 5 === 0) indexBodies(views.db, 3);
        if (i % 7 === 0) forgetReleasesInMail(views.db, [...told.bodies]);
      }
      agree(views, told);
      while (sweepOrphans(views.db, 2)) continue;
      agree(views, told);
      while (indexBodies(views.db, 2)) continue;
      agree(views, told);
      const limits = { expungedUpTo: Infinity, retiredUpTo: Infinity };
      const due = releasedBodiesAfter(views.db, NO_RELEASED_BODY, limits, 1000);
      const free = [...told.bodies].filter((b) => told.state.bodyRelease(b) !== undefined);
      const unneeded = unneededBodies(
        views.db,
        due.map(({ body }) => body),
      );
      assert.deepEqual(new Set(unneeded), new Set(free));
      assert.deepEqual(
        new Set(unknownBodies(views.db, [...told.bodies])),
        told.bodies.difference(told.there),
      );
      const last = told.steps.findLast(({ fact }) => fact.event.type === 'BodiesSwept')?.fact.event;
      const lastBodies = last?.type === 'BodiesSwept' ? last.bodies.toSorted() : [];
      assert.deepEqual(lastSweptBodies(views.db), lastBodies);
    });
  });

  it('that are gone leave the rows of what lives as they are', () => {
    check(({ steps, there, bodies }) => {
      using grown = emptyViews();
      for (const [i, { fact }] of steps.entries()) {
        grown.post([fact]);
        if (i % 2 === 0) sweepOrphans(grown.db, 3);
        if (i % 5 === 0) indexBodies(grown.db, 3);
        if (i % 7 === 0) forgetReleasesInMail(grown.db, [...bodies]);
      }
      using replayed = emptyViews((body) => (there.has(body) ? someFacts(body) : undefined));
      replayed.post(steps.map(({ fact }) => fact));
      assert.deepEqual(replayed.digests(), grown.digests());
    });
  });
});
