/** What holds for the structure of any octets whatever, and for messages that were well made. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readFacts } from '#protocols/message/facts';
import { readHeader } from '#protocols/message/header';
import { parseAddresses } from '#protocols/message/addresses';
import { readStructure, type Part } from '#protocols/message/part';
import { openSections } from '#protocols/message/section';
import { decodeTransfer } from '#protocols/message/transfer-encoding';

const RUNS = { seed: 20260104, numRuns: 1000 };

/** Octets that are more often than not nearly a message. */
const hostileMail = fc
  .array(
    fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom('\r\n', '\n', '\r\n\r\n', '--', '--b', '--b\r\n') },
      {
        weight: 3,
        arbitrary: fc.constantFrom(
          'Content-Type: multipart/mixed; boundary=b\r\n',
          'Content-Type: multipart/digest; boundary="b b"\r\n',
          'Content-Type: message/rfc822\r\n',
          'Content-Transfer-Encoding: base64\r\n',
          'Content-Disposition: attachment; x*0*=',
          'From: a@b, Us: <c@d>;\r\n',
          'Subject: =?utf-8?q?=C3?=\r\n',
          '\r\n--b--\r\n',
          '\r\n--b b\r\n',
          '\r\n--b\r\n',
        ),
      },
      fc.constantFrom('"', '(', '\\', '<', ':', ';', ',', '=', ' ', '\t', '\0', '\xff', 'x', '{9}'),
      fc.string({ maxLength: 20 }),
    ),
    { maxLength: 60 },
  )
  .chain((pieces) =>
    // Octets of the network begin anywhere in a buffer.
    fc
      .nat(3)
      .map((start) => Buffer.from('?'.repeat(start) + pieces.join(''), 'latin1').subarray(start)),
  );

function forAll(check: (octets: Buffer) => void): void {
  fc.assert(fc.property(hostileMail, check), RUNS);
}

/** Every part with the numbers that lead to it. */
function* partsOf(part: Part, path: readonly number[]): Generator<[Part, readonly number[]]> {
  const container = part.kind === 'message' && path.length > 0 ? part.children[0] : part;
  if (container === undefined) return;
  const children = container.kind === 'multipart' ? container.children : [container];
  if (path.length > 0 && part.kind === 'leaf') return;
  for (const [index, child] of children.entries()) {
    yield [child, [...path, index + 1]];
    if (child !== part) yield* partsOf(child, [...path, index + 1]);
  }
}

/** Offset behind a parenthesised list of strings, literals, atoms and lists at `at`. */
function listEnd(text: string, at: number): number {
  assert.equal(text[at], '(');
  for (at++; text[at] !== ')';) {
    if (text[at] === '(') at = listEnd(text, at);
    else if (text[at] === ' ') at++;
    else {
      const rest = text.slice(at);
      const literal = /^\{(\d+)\}\r\n/.exec(rest);
      const token =
        /^(?:"(?:[\x20-\x21\x23-\x5b\x5d-\x7e\t]|[^\x80-\xff\r\n\0"\\]|\\["\\])*"|NIL|\d+)/;
      const length =
        literal === null
          ? (token.exec(rest)?.[0].length ?? 0)
          : literal[0].length + Number(literal[1]);
      assert.ok(length > 0, `no string at ${JSON.stringify(rest.slice(0, 50))}`);
      if (literal !== null) assert.ok(!text.slice(at, at + length).includes('\0'));
      at += length;
    }
  }
  return at + 1;
}

describe('any octets', () => {
  it('have a structure that lies inside them', () => {
    const inside = (octets: Buffer, part: Part, from: number, to: number): void => {
      assert.ok(from <= part.headerStart && part.headerStart <= part.bodyStart);
      assert.ok(part.bodyStart <= part.bodyEnd && part.bodyEnd <= to);
      const body = octets.subarray(part.bodyStart, part.bodyEnd);
      assert.equal(part.lines, body.filter((octet) => octet === 10).length);
      const { length } = part.children;
      if (part.kind === 'leaf') assert.equal(length, 0);
      else assert.ok(part.kind === 'message' ? length === 1 : length > 0);
      let at = part.bodyStart;
      for (const child of part.children) {
        inside(octets, child, at, part.bodyEnd);
        at = child.bodyEnd;
      }
    };
    forAll((octets) => {
      const message = readStructure(octets);
      inside(octets, message, 0, octets.length);
      assert.equal(message.headerStart, 0);
      assert.equal(message.bodyEnd, octets.length);
    });
  });

  it('have facts that IMAP can send', () => {
    forAll((octets) => {
      const facts = readFacts(octets);
      for (const text of [facts.envelope, facts.body, facts.bodyStructure]) {
        assert.equal(listEnd(text, 0), text.length);
        assert.ok(Buffer.byteLength(text, 'latin1') === text.length);
      }
      assert.deepEqual(JSON.parse(JSON.stringify(facts)), facts);
    });
  });

  it('are the sum of their header and text, and a header is the sum of its fields', () => {
    forAll((octets) => {
      const sections = openSections(octets);
      const header = sections.section({ part: [], text: 'HEADER' }) ?? assert.fail();
      const text = sections.section({ part: [], text: 'TEXT' }) ?? assert.fail();
      assert.deepEqual(Buffer.concat([header, text]), octets);
      const fields = ['from', 'Content-Type'];
      const some = sections.section({ part: [], text: 'HEADER.FIELDS', fields });
      const others = sections.section({ part: [], text: 'HEADER.FIELDS.NOT', fields });
      const { fields: all, text: headerText } = readHeader(header.toString('latin1'));
      const end = all.at(-1)?.end ?? 0;
      assert.equal((some?.length ?? 0) + (others?.length ?? 0), end + 4);
      assert.match(headerText.slice(end), /^(\r?\n)?$/);
    });
  });

  it('give each of their parts by its number', () => {
    forAll((octets) => {
      const sections = openSections(octets);
      for (const [part, path] of partsOf(readStructure(octets), [])) {
        const body = sections.section({ part: path });
        assert.deepEqual(body, octets.subarray(part.bodyStart, part.bodyEnd));
        const binary = sections.binary(path);
        assert.ok(binary !== undefined);
        if (binary.type === 'octets') assert.ok(binary.octets.length <= (body?.length ?? 0));
      }
    });
  });

  it('may be addresses, at most as many as asked for', () => {
    forAll((octets) => {
      const addresses = parseAddresses(octets.toString('latin1'), 20);
      assert.ok(addresses.length <= 21);
      const groups = addresses.filter(({ host }) => host === undefined);
      assert.ok(
        groups.every(({ mailbox }, index) => (mailbox === undefined) === (index % 2 === 1)),
      );
    });
  });
});

/** A part as it is written, and what must be found of it. */
interface Written {
  readonly lines: readonly string[];
  readonly shape: unknown;
}

const leaf = fc
  .tuple(
    fc.constantFrom('text/plain', 'text/html', 'image/png'),
    fc.array(fc.base64String(), { maxLength: 3 }),
  )
  .map(([type, lines]): Written => ({
    lines: [`Content-Type: ${type}`, '', ...lines],
    shape: [type, lines.join('\r\n')],
  }));

const written = fc.letrec<{ part: Written }>((tie) => ({
  part: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    tie('part').map(({ lines, shape }): Written => ({
      lines: ['Content-Type: message/rfc822', '', ...lines],
      shape: ['message/rfc822', shape],
    })),
    fc
      .tuple(fc.array(tie('part'), { minLength: 1, maxLength: 3 }), fc.stringMatching(/^[a-z]{8}$/))
      .map(([parts, boundary]): Written => ({
        lines: [
          `Content-Type: multipart/mixed; boundary="${boundary}"`,
          '',
          ...parts.flatMap(({ lines }) => [`--${boundary}`, ...lines]),
          `--${boundary}--`,
        ],
        shape: ['multipart/mixed', ...parts.map(({ shape }) => shape)],
      })),
  ),
})).part;

function shapeOf(octets: Buffer, part: Part): unknown {
  const type = `${part.contentType.type}/${part.contentType.subtype}`;
  return part.kind === 'leaf'
    ? [type, octets.toString('latin1', part.bodyStart, part.bodyEnd)]
    : [type, ...part.children.map((child) => shapeOf(octets, child))];
}

it('a message that was well made is found as it was made', () => {
  fc.assert(
    fc.property(written, ({ lines, shape }) => {
      const octets = Buffer.from(lines.join('\r\n'), 'latin1');
      assert.deepEqual(shapeOf(octets, readStructure(octets)), shape);
    }),
    RUNS,
  );
});

it('transfer encodings are undone', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (octets) => {
      const original = Buffer.from(octets);
      const base64 = original.toString('base64').replace(/.{76}/g, '$&\r\n');
      assert.deepEqual(decodeTransfer('base64', Buffer.from(base64)), original);
      const hex = original.toString('hex').toUpperCase();
      const quoted = hex.replace(/../g, '=$&').replace(/.{75}/g, '$&=\r\n');
      assert.deepEqual(decodeTransfer('quoted-printable', Buffer.from(quoted)), original);
    }),
    RUNS,
  );
});
