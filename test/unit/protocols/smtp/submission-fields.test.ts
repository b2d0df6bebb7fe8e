/** What is read from the header of a submission, what is added to it and taken out of it. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readHeader, valueOf, type Header } from '#protocols/message/header';
import {
  completionOf,
  extraDataOf,
  tlsRequiredOf,
  travellingHeader,
} from '#protocols/smtp/submission-fields';

const FACTS = { hostName: 'mail.example.org', token: 'token', at: 0, eightBit: false };
const OURS = '<token@mail.example.org>';

function headerOf(...lines: readonly string[]): Header {
  return readHeader([...lines, '', ''].join('\r\n'));
}

describe('a header is completed (smtp 91)', () => {
  it('with Message-ID, Date and the type of its text', () => {
    assert.deepEqual(completionOf(headerOf('From: a@b'), FACTS), {
      headerId: OURS,
      fields: [
        `Message-ID: ${OURS}`,
        'Date: Thu, 1 Jan 1970 00:00:00 +0000',
        'MIME-Version: 1.0',
        'Content-Type: text/plain; charset=us-ascii',
        '',
      ].join('\r\n'),
    });
  });

  it('with the encoding of 8-bit text', () => {
    const { fields } = completionOf(headerOf('MIME-Version: 1.0'), { ...FACTS, eightBit: true });
    const types = 'Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n';
    assert.ok(fields.endsWith(`+0000\r\n${types}`));
  });

  it('with nothing that is there', () => {
    const header = headerOf('MESSAGE-ID: <1@x>', 'Date: once', 'Content-type: text/html');
    assert.deepEqual(completionOf(header, FACTS), { headerId: '<1@x>', fields: '' });
  });

  it('where its fields are empty, which then do not travel', () => {
    const header = headerOf('Message-ID: ', 'From: a@b', 'Date:\t', 'Message-ID:');
    const { headerId, fields } = completionOf(header, FACTS);
    assert.equal(headerId, OURS);
    assert.match(fields, /^Message-ID: .*\r\nDate: /);
    assert.equal(travellingHeader(header, 'mail.example.org'), 'From: a@b\r\n\r\n');
  });
});

describe('the Message-ID of a submission', () => {
  const cases = [
    ['<1@x>', '<1@x>'],
    ['(first) <1@x> <2@x>', '<1@x>'],
    ['1@x', '<1@x>'],
    ['<\xc3\xbc@x>', '<\xc3\xbc@x>'],
    ['< 1@x >', ''],
    [`<${'x'.repeat(2000)}>`, ''],
    ['no id at all', ''],
  ] as const;
  for (const [given, id] of cases) {
    it(`${given.slice(0, 30)} is ${id === '' ? 'no key' : id}`, () => {
      const { headerId, fields } = completionOf(headerOf(`Message-ID: ${given}`), FACTS);
      assert.equal(headerId, id);
      assert.doesNotMatch(fields, /Message-ID/);
    });
  }
});

describe('a header travels', () => {
  const bcc = ['Bcc: hidden@x', 'Subject: s', 'BCC: other@x,', ' more@x'];
  it('without Bcc where To or Cc shows somebody (smtp 97)', () => {
    for (const shown of ['To: a@b', 'Cc: A <a@b>']) {
      assert.equal(
        travellingHeader(headerOf(shown, ...bcc), 'mail.example.org'),
        `${shown}\r\nSubject: s\r\n\r\n`,
      );
    }
  });

  it('with it where there is nobody else', () => {
    for (const shown of ['From: a@b', 'To: undisclosed-recipients:;', 'To: ']) {
      const header = headerOf(shown, ...bcc);
      assert.equal(travellingHeader(header, 'mail.example.org'), header.text);
    }
  });

  it('with its extra data, whatever else it has (webapi 43)', () => {
    const header = headerOf('To: a@b', 'X-Mox-Extra-user-id: 42', 'no field', 'X: \xff');
    assert.equal(travellingHeader(header, 'mail.example.org'), header.text);
  });
});

describe('TLS-Required (queue 32, smtp 93)', () => {
  const cases = [
    [['TLS-Required: No'], false],
    [['tls-required: \t NO '], false],
    [['TLS-Required: No', 'X: y', 'TLS-Required: no'], false],
    [['TLS-Required: No', 'TLS-Required: yes'], undefined],
    [['TLS-Required: yes'], undefined],
    [['TLS-Required: no way'], undefined],
    [['TLS-Required:'], undefined],
    [[], undefined],
  ] as const;
  for (const [lines, required] of cases) {
    it(`${JSON.stringify(lines)} is ${required}`, () =>
      assert.equal(tlsRequiredOf(headerOf(...lines)), required));
  }
});

describe('extra data', () => {
  const extra = (...lines: readonly string[]): unknown => {
    const data = extraDataOf(headerOf(...lines));
    return data.type === 'extra' ? data.extra : data.reply;
  };
  const refused = (...lines: readonly string[]): void => {
    const data = extraDataOf(headerOf(...lines));
    assert.ok(data.type === 'refused');
    assert.deepEqual([data.reply.code, data.reply.enhanced], [554, '5.6.0']);
  };

  it('has keys like names of fields (webapi 43, smtp 95)', () => {
    const lines = ['X-Mox-Extra-user-id: 42', 'x-mox-extra-ORDER: a', '\t b', 'X-Mox-Extra: no'];
    assert.deepEqual(extra(...lines), { 'User-Id': '42', Order: 'a\t b' });
    assert.deepEqual(extra('X-Mox-Extra--a-1b-: x', 'X-Mox-Extra-: y'), { '-A-1b-': 'x' });
    assert.deepEqual(extra(), {});
  });

  it('is text', () => {
    const raw = Buffer.from('voilà').toString('latin1');
    const lines = [`X-Mox-Extra-A: ${raw}`, 'X-Mox-Extra-B: =?utf-8?q?=C3=BC?='];
    assert.deepEqual(extra(...lines), { A: 'voilà', B: 'ü' });
  });

  it('may have any key', () => {
    const data = extraDataOf(headerOf('X-Mox-Extra-__proto__: x'));
    assert.ok(data.type === 'extra');
    assert.deepEqual(Object.entries(data.extra), [['__proto__', 'x']]);
  });

  it('is refused where a key comes twice (webapi 43, smtp 95)', () => {
    refused('X-Mox-Extra-a: 1', 'X-Mox-Extra-A: 1');
    refused('X-Mox-Extra-user-id: 1', 'X-Mox-Extra-User-ID: 2');
  });

  it('is refused where it is too much', () => {
    const keys = Array.from({ length: 64 }, (_, i) => `X-Mox-Extra-k${i}: v`);
    assert.equal(Object.keys(extra(...keys) as object).length, 64);
    refused(...keys, 'X-Mox-Extra-more: v');
    assert.deepEqual(extra(`X-Mox-Extra-A: ${'x'.repeat(4095)}`), { A: 'x'.repeat(4095) });
    refused(`X-Mox-Extra-A: ${'x'.repeat(4096)}`);
  });
});

it('a completed header has what it needs, once', () => {
  const line = fc.oneof(
    fc.constantFrom('Message-ID:', 'Message-ID: <a@b>', 'Date:', 'Date: x', 'Bcc: x', 'To: a@b'),
    fc.constantFrom('Content-Type: text/plain', 'MIME-Version: 1.0', 'X-Mox-Extra-a: b'),
    fc.string({ maxLength: 10 }).map((text) => `?${text.replace(/[\r\n]/g, '?')}`),
  );
  const lines = fc.uniqueArray(line, { maxLength: 12 });
  fc.assert(
    fc.property(lines, fc.boolean(), (some, eightBit) => {
      const header = headerOf('From: a@b', ...some);
      const { headerId, fields } = completionOf(header, { ...FACTS, eightBit });
      const sent = readHeader(fields + travellingHeader(header, 'mail.example.org'));
      for (const name of ['message-id', 'date', 'content-type', 'mime-version']) {
        const count = sent.fields.filter((field) => field.name === name).length;
        assert.ok(count === 1 || (name === 'mime-version' && count === 0), name);
      }
      assert.ok(headerId === '' || valueOf(sent, 'message-id')?.includes(headerId.slice(1, -1)));
      assert.ok(['extra', 'refused'].includes(extraDataOf(header).type));
    }),
    { seed: 20260108, numRuns: 500 },
  );
});
