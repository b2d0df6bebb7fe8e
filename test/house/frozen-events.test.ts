/**
 * What was recorded once can be read for ever: every event type and version has a frozen sample,
 * and today's code still has the shape of the newest one.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  currentEvent,
  frozenEvents,
  frozenFile,
  SAMPLES,
  TOPICS,
  type EventType,
} from './samples.ts';
import { assertNone } from './sources.ts';
import type { DomainEvent } from '#domain/log/streams';
import { upcast, UPCASTS } from '#domain/log/upcast';

const FROZEN = frozenEvents();
const TYPES = Object.keys(SAMPLES) as EventType[];

/** Names and kinds of all fields, in any depth. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map(shapeOf);
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, shapeOf(field)]));
}

type RequiredField<T> = keyof {
  [Field in keyof T as object extends Pick<T, Field> ? never : Field]: true;
};

/** Of each type with older versions, the fields that an event cannot do without. */
const REQUIRED: {
  readonly [Type in EventType]?: Record<RequiredField<Extract<DomainEvent, { type: Type }>>, true>;
} = {
  AccountSettingsChanged: { type: true, accountId: true, changes: true },
  DkimKeysChanged: { type: true, domain: true, keys: true },
  MessageQueued: {
    type: true,
    items: true,
    mailFrom: true,
    body: true,
    prefix: true,
    sizeBytes: true,
    headerId: true,
    smtpUtf8: true,
    eightBit: true,
    nextAttemptAt: true,
  },
  AttemptStarted: {
    type: true,
    queueIds: true,
    attempt: true,
    nextAttemptAt: true,
    transport: true,
  },
  AttemptSucceeded: {
    type: true,
    queueId: true,
    attempt: true,
    code: true,
    enhancedCode: true,
    text: true,
  },
  AttemptFailed: {
    type: true,
    queueId: true,
    attempt: true,
    code: true,
    enhancedCode: true,
    text: true,
    permanent: true,
  },
  MessageRetired: { type: true, queueId: true, outcome: true },
  BounceRelated: {
    type: true,
    queueId: true,
    action: true,
    isDsn: true,
    code: true,
    enhancedCode: true,
    text: true,
    messageId: true,
  },
  WebhookQueued: { type: true, hookId: true, url: true, occasion: true },
};

describe('every event type', () => {
  it('has a frozen sample (a new one: node ops/scripts/freeze-events.ts)', () => {
    const missing = TYPES.map((type) => frozenFile(currentEvent(type))).filter(
      (file) => !FROZEN.has(file),
    );
    assertNone(missing, 'no file in test/house/events');
  });

  it('has the shape that was frozen (a changed one: raise the version, add an upcast)', () => {
    for (const type of TYPES) {
      const current = currentEvent(type);
      assert.deepEqual(FROZEN.get(frozenFile(current)), current);
    }
  });

  it('is told in one sentence', () => {
    const told = Object.values(TOPICS).flatMap((table) => Object.keys(table));
    assert.deepEqual(told.sort(), [...TYPES].sort());
  });
});

describe('every frozen event', () => {
  it('is named after its type and version', () => {
    for (const [file, event] of FROZEN) assert.equal(file, frozenFile(event));
  });

  it('is lifted to the shape of today', () => {
    for (const event of FROZEN.values()) {
      const recorded = { ...event, id: 'x', at: 0, cause: { actor: 'test' } };
      const { type, version, data } = upcast(recorded, UPCASTS);
      const known = TYPES.find((name) => name === type);
      assert.ok(known, `${type} is retired, but its meaning stays in the logs`);
      const current = currentEvent(known);
      assert.equal(version, current.version);
      // What an older event lacks is what an event can do without.
      assert.partialDeepStrictEqual(shapeOf(current.data), shapeOf(data));
      const missing = Object.keys(current.data).filter((field) => !(field in data));
      if (current.version === 1) assert.deepEqual(missing, []);
      else assert.ok(REQUIRED[known], `tell what ${type} cannot do without`);
      for (const field of missing) assert.ok(!(field in (REQUIRED[known] ?? {})), field);
    }
  });
});
