/**
 * What decisions ask about bodies, and the reference model that answers them: since when nothing
 * refers to a body any more.
 *
 * Messages refer to their bodies, and so do items of the queue. Webhooks that wait tell of what one
 * of them refers to or did: they hold on to a body, and never let one go.
 */

import type { AccountFact } from '../log/streams.ts';
import type { BodyHash, HookId, Instant } from '../values/ids.ts';

/** When a body was let go of; 0 where it never was in that way. */
export interface BodyRelease {
  /** The last message that had it was removed. */
  readonly expungedAt: Instant;
  /** The last item of the queue that needed it left, if that was after the last message. */
  readonly retiredAt: Instant;
}

export interface BodyState {
  /** Undefined while something refers to the body, and when nothing ever did or it was swept. */
  bodyRelease(body: BodyHash): BodyRelease | undefined;
}

/** The bodies that messages, and items of the queue, refer to. */
export interface BodiesInUse {
  readonly mail: ReadonlySet<BodyHash>;
  readonly queue: ReadonlySet<BodyHash>;
}

/** The reference model. */
export interface BodyRecords {
  readonly releases: Map<BodyHash, BodyRelease>;
  /** Bodies that webhooks wait to tell of. */
  readonly hooks: Map<HookId, BodyHash>;
}

export function emptyBodies(): BodyRecords {
  return { releases: new Map(), hooks: new Map() };
}

/** `before` and `after` are what the other records said before the fact, and say after it. */
export function evolveBodies(
  records: BodyRecords,
  { event, at }: AccountFact,
  before: BodiesInUse,
  after: BodiesInUse,
): void {
  const { releases, hooks } = records;
  if (event.type === 'WebhookQueued') hooks.set(event.hookId, event.occasion.body);
  if (event.type === 'WebhookRetired') hooks.delete(event.hookId);
  for (const body of difference(before.queue, after.queue)) {
    releases.set(body, { ...releaseOf(records, body), retiredAt: at });
  }
  for (const body of difference(before.mail, after.mail)) {
    releases.set(body, { ...releaseOf(records, body), expungedAt: at });
  }
  if (event.type === 'BodiesSwept') for (const body of event.bodies) releases.delete(body);
}

function difference(some: BodiesInUse['mail'], others: BodiesInUse['mail']): Set<BodyHash> {
  return new Set(some).difference(others);
}

function releaseOf({ releases }: BodyRecords, body: BodyHash): BodyRelease {
  return releases.get(body) ?? { expungedAt: 0, retiredAt: 0 };
}

export function bodyReleaseIn(
  { releases, hooks }: BodyRecords,
  { mail, queue }: BodiesInUse,
  body: BodyHash,
): BodyRelease | undefined {
  const isUsed = mail.has(body) || queue.has(body) || [...hooks.values()].includes(body);
  const release = isUsed ? undefined : releases.get(body);
  if (release === undefined) return undefined;
  const { expungedAt, retiredAt } = release;
  return { expungedAt, retiredAt: retiredAt > expungedAt ? retiredAt : 0 };
}
