/**
 * Where parts stand is remembered for the messages asked for last.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Structures } from '#protocols/imap/structures';
import { IMAP_STRUCTURED_PARTS_MAX } from '#protocols/limits';
import type { PartExtent } from '#protocols/message/section';

function extents(children: readonly PartExtent[] = []): PartExtent {
  const kind = children.length === 0 ? 'leaf' : 'multipart';
  return { headerStart: 0, bodyStart: 1, bodyEnd: 2, kind, encoding: '7bit', children };
}

/** As much as a quarter of what is remembered. */
const LARGE = extents(Array.from({ length: IMAP_STRUCTURED_PARTS_MAX / 4 - 1 }, () => extents()));

describe('structures', () => {
  it('are those of a body behind so many octets', () => {
    const structures = new Structures();
    const known = extents();
    structures.keep('a', 10, known);
    assert.equal(structures.get('a', 10), known);
    assert.equal(structures.get('a', 11), undefined);
    assert.equal(structures.get('b', 10), undefined);
  });

  it('are forgotten when there are too many parts, those asked for longest ago first', () => {
    const structures = new Structures();
    for (const body of ['a', 'b', 'c', 'd']) structures.keep(body, 0, LARGE);
    structures.keep('d', 0, LARGE);
    assert.ok(structures.get('a', 0));
    structures.keep('e', 0, extents());
    assert.equal(structures.get('b', 0), undefined);
    for (const body of ['a', 'c', 'd', 'e']) assert.ok(structures.get(body, 0), body);
  });
});
