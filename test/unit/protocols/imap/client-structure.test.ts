/**
 * ENVELOPE and BODYSTRUCTURE as servers write them, ours and others.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { answerOf } from '../../../support/imap-client.ts';
import { formatStructure } from '#protocols/imap/body-structure';
import { bodyStructure, envelope } from '#protocols/imap/client-structure';
import type { BodyStructure, Envelope } from '#protocols/imap/client-words';
import { Parser } from '#protocols/imap/parser';
import { readStructure } from '#protocols/message/part';

async function structureOf(text: string): Promise<BodyStructure> {
  return bodyStructure(new Parser(await answerOf(text), { utf8: true }));
}

async function envelopeOf(text: string): Promise<Envelope> {
  return envelope(new Parser(await answerOf(text), { utf8: true }));
}

describe('ENVELOPE', () => {
  it('has all its fields', async () => {
    const bob = '(("Bob" NIL "bob" "example.org"))';
    const rest = '{3}\r\n<a> "<b>"';
    const read = await envelopeOf(`("date" "gr\xfc\xdfe" ${bob} NIL NIL ${bob} NIL NIL ${rest})`);
    const address = { name: 'Bob', localpart: 'bob', domain: 'example.org' };
    assert.deepEqual(read, {
      date: 'date',
      subject: 'grüße',
      from: [address],
      sender: [],
      replyTo: [],
      to: [address],
      cc: [],
      bcc: [],
      inReplyTo: '<a>',
      headerId: '<b>',
    });
  });

  it('has groups', async () => {
    const group = '((NIL NIL "friends" NIL)(NIL NIL "a" "b") (NIL NIL NIL NIL))';
    const { to } = await envelopeOf(`(NIL NIL NIL NIL NIL ${group} NIL NIL NIL NIL)`);
    assert.deepEqual(
      to.map(({ localpart, domain }) => [localpart, domain]),
      [
        ['friends', undefined],
        ['a', 'b'],
        [undefined, undefined],
      ],
    );
  });
});

describe('BODYSTRUCTURE', () => {
  const text = '"TEXT" "Plain" ("CHARSET" "utf-8") NIL NIL "7BIT" 12 2';
  const part = {
    type: 'part',
    mediaType: 'text/plain',
    parameters: new Map([['charset', 'utf-8']]),
    contentId: undefined,
    description: undefined,
    encoding: '7bit',
    sizeBytes: 12,
    lines: 2,
  };

  it('of a text, with and without extension data', async () => {
    assert.deepEqual(await structureOf(`(${text})`), part);
    assert.deepEqual(await structureOf(`(${text} NIL)`), part);
    const file = { type: 'attachment', parameters: new Map([['filename', 'a b']]) };
    const more = `"md5" ("ATTACHMENT" ("FileName" "a b")) ("de" "en") "http://x" "new" (1 ("2"))`;
    assert.deepEqual(await structureOf(`(${text} ${more})`), {
      ...part,
      md5: 'md5',
      disposition: file,
      languages: ['de', 'en'],
      location: 'http://x',
    });
  });

  it('of many parts', async () => {
    const mixed = await structureOf(`((${text})(${text}) "MIXED" ("boundary" "x") NIL "en" NIL)`);
    assert.deepEqual(mixed, {
      type: 'multipart',
      subtype: 'mixed',
      parts: [part, part],
      parameters: new Map([['boundary', 'x']]),
      languages: ['en'],
    });
    const bare = { type: 'multipart', subtype: 'mixed', parts: [part] };
    assert.deepEqual(await structureOf(`((${text}) "mixed")`), bare);
  });

  it('of an attached message, looked into or not', async () => {
    const basic = '"message" "rfc822" NIL NIL NIL "7bit" 99';
    const none = 'NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL';
    const open = await structureOf(`(${basic} (${none}) (${text}) 7 NIL NIL)`);
    assert.ok(open.type === 'part');
    assert.deepEqual([open.message?.structure, open.lines], [part, 7]);
    const shut = await structureOf(`(${basic} NIL NIL)`);
    assert.ok(shut.type === 'part');
    assert.deepEqual([shut.message, shut.lines, shut.sizeBytes], [undefined, undefined, 99]);
  });

  it('of our own making, as deep as we go', async () => {
    let message = 'Subject: deepest\r\n\r\ntext\r\n';
    for (let i = 0; i < 120; i++) message = `Content-Type: message/rfc822\r\n\r\n${message}`;
    const wire = formatStructure(readStructure(Buffer.from(message)));
    let depth = 0;
    let structure: BodyStructure | undefined = await structureOf(wire.bodyStructure);
    while (structure?.type === 'part' && structure.message !== undefined) {
      structure = structure.message.structure;
      depth++;
    }
    assert.ok(depth >= 90, `${depth}`);
  });
});
