/** What holds for the structures of all messages of the corpus, and what we say of each. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { parameterOf } from '#protocols/message/parameters';
import { readFacts } from '#protocols/message/facts';
import { readStructure, type Part } from '#protocols/message/part';
import { openSections, type Sections } from '#protocols/message/section';
import { answersOf, FROZEN, MIME_CORPUS, type Answers } from '../corpus/mime.ts';
import { fetchedItems, partsByNumber, type Value } from '../support/imap-values.ts';

/** Parts of one message that are looked at one by one. */
const PARTS_MAX = 200;

function structureOf(octets: Buffer): Value {
  const line = `* 1 FETCH (BODYSTRUCTURE ${readFacts(octets).bodyStructure})\r\n`;
  const items = fetchedItems(Buffer.from(line, 'latin1')).get(1);
  return items?.get('BODYSTRUCTURE') ?? assert.fail(line);
}

/** The octets of a section, which must be there. */
function sectionAt(sections: Sections, path: string, text?: 'MIME' | 'HEADER' | 'TEXT'): Buffer {
  const part = path.split('.').map(Number);
  const section = text === undefined ? { part } : { part, text };
  return sections.section(section) ?? assert.fail(`no ${path} ${text}`);
}

function lineEndsIn(octets: Buffer): number {
  return octets.reduce((count, octet) => count + (octet === 10 ? 1 : 0), 0);
}

/** What stands between the parts of a multipart is nothing but its delimiters. */
function assertDelimited(octets: Buffer, part: Part): void {
  const boundary = parameterOf(part.contentType.parameters, 'boundary')?.trimEnd() ?? '';
  for (const [i, child] of part.children.entries()) {
    const next = part.children[i + 1];
    if (next !== undefined) {
      const between = octets.toString('latin1', child.bodyEnd, next.headerStart);
      assert.equal(between.replace(/^\r?\n/, '').trimEnd(), `--${boundary}`);
    }
    assertDelimited(octets, child);
  }
}

describe('every message of the corpus', () => {
  const frozen = JSON.parse(readFileSync(FROZEN, 'utf8')) as Readonly<Record<string, Answers>>;

  for (const [name, octets] of MIME_CORPUS) {
    it(name, () => {
      // `node ops/scripts/freeze-mime.ts` writes down what is said now.
      assert.deepEqual(answersOf(octets), frozen[name]);
      assertDelimited(octets, readStructure(octets));
      const sections = openSections(octets);
      const parts = [...partsByNumber(structureOf(octets))].slice(0, PARTS_MAX);
      for (const [path, part] of parts) {
        const body = sectionAt(sections, path);
        const binary = sections.binary(path.split('.').map(Number)) ?? assert.fail(path);
        sectionAt(sections, path, 'MIME');
        if (!Array.isArray(part) || Array.isArray(part[0])) {
          assert.equal(binary.type, 'multipart');
          continue;
        }
        // RFC 9051 §7.5.2: octets, and lines of texts and messages.
        assert.equal(part[6], body.length);
        const isMessage = Array.isArray(part[8]) && Array.isArray(part[7]);
        if (part[0] === 'text' || isMessage) {
          assert.equal(part[isMessage ? 9 : 7], lineEndsIn(body));
        }
        if (binary.type === 'octets') assert.ok(binary.octets.length <= body.length);
        if (!isMessage) continue;
        const header = sectionAt(sections, path, 'HEADER');
        const text = sectionAt(sections, path, 'TEXT');
        assert.deepEqual(Buffer.concat([header, text]), body);
      }
    });
  }

  it('is written down, and nothing else is', () => {
    assert.deepEqual(Object.keys(frozen), [...MIME_CORPUS.keys()]);
  });
});
