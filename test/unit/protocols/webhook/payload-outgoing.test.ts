/**
 * What receivers hear about mail that was sent, measured against recorded calls.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { OutgoingOccasion } from '#domain/webhook/events';
import { outgoingPayload } from '#protocols/webhook/payload-outgoing';

const AT = Date.UTC(2026, 10, 22, 17, 36, 8, 925);
const HEADER = Buffer.from('Subject: three\r\n\r\n');

const OCCASION: OutgoingOccasion = {
  type: 'outgoing',
  event: 'failed',
  isDsn: false,
  suppressing: true,
  queueId: 32,
  fromId: 'hLn1trXoOdNCV-vMcDk1GQ',
  headerId: '<c@localhost>',
  body: 'f'.repeat(64),
  code: 554,
  enhancedCode: '5.0.0',
  text: 'the remote text',
};

function payload(changes: Partial<OutgoingOccasion> = {}, header: Buffer | undefined = HEADER) {
  return outgoingPayload({ ...OCCASION, ...changes }, AT, header);
}

function fields(...given: Parameters<typeof payload>): Readonly<Record<string, unknown>> {
  return JSON.parse(payload(...given));
}

describe('the payload about sent mail', () => {
  it('has the names and the order that receivers know', () => {
    assert.equal(
      payload(),
      '{"Version":0,"Event":"failed","DSN":false,"Suppressing":true,"QueueMsgID":32,' +
        '"FromID":"hLn1trXoOdNCV-vMcDk1GQ","MessageID":"\\u003cc@localhost\\u003e",' +
        '"Subject":"three","WebhookQueued":"2026-11-22T17:36:08.925Z","SMTPCode":554,' +
        '"SMTPEnhancedCode":"5.0.0","Error":"the remote text","Extra":{}}',
    );
  });

  it('says whether a report about the delivery told so', () => {
    const none = { code: 0, enhancedCode: '', text: '', suppressing: false };
    assert.partialDeepStrictEqual(fields({ ...none, event: 'relayed', isDsn: true }), {
      Event: 'relayed',
      DSN: true,
      Suppressing: false,
      SMTPCode: 0,
      SMTPEnhancedCode: '',
      Error: '',
    });
  });

  it('webapi 43: has what the application wanted to hear again', () => {
    const extra = { 'Some-Key': 'v', userid: '456' };
    assert.deepEqual(fields({ extra })['Extra'], extra);
    assert.deepEqual(fields()['Extra'], {});
  });

  it('has the subject as it was meant, as long as the message is there', () => {
    const encoded = Buffer.from('subject: =?utf-8?q?gr=C3=BC=C3=9Fe?=\r\n\r\n');
    assert.equal(fields({}, encoded)['Subject'], 'grüße');
    assert.equal(outgoingPayload(OCCASION, AT, undefined).includes('"Subject":"",'), true);
  });

  it('says nothing of a MAIL FROM that was not the only one of its kind', () => {
    const { fromId: _, ...plain } = OCCASION;
    assert.match(outgoingPayload(plain, AT, HEADER), /"FromID":"",/);
  });
});
