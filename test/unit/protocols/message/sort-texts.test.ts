/**
 * What a message is sorted by.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readHeader } from '#protocols/message/header';
import { sortFacts } from '#protocols/message/sort-texts';

const of = (...lines: readonly string[]): ReturnType<typeof sortFacts> =>
  sortFacts(readHeader(`${lines.join('\r\n')}\r\n\r\n`));

describe('what a message is sorted by', () => {
  it('is the base subject, without case', () => {
    assert.partialDeepStrictEqual(of('Subject: Re: =?utf-8?q?Gr=C3=BC=C3=9Fe?='), {
      sortSubject: 'GRU\u0308ßE',
      isReply: true,
    });
    assert.partialDeepStrictEqual(of('Subject: [list] hello'), {
      sortSubject: 'HELLO',
      isReply: false,
    });
    assert.equal(of('Subject: x', 'Subject: y').sortSubject, 'X');
  });

  it('is the mailbox of the first address', () => {
    assert.partialDeepStrictEqual(
      of('From: Zoe <ann@b>, bob@b', 'To: team: x@y, z@y;', 'Cc: "a b"@c'),
      { sortFrom: 'ANN', sortTo: 'TEAM', sortCc: 'A B' },
    );
    assert.partialDeepStrictEqual(of(), { sortFrom: '', sortTo: '', sortCc: '' });
  });

  it('is how the first address is shown', () => {
    assert.partialDeepStrictEqual(of('From: =?iso-8859-1?q?J=F6rg?= <j@b>', 'To: ann@b'), {
      displayFrom: 'JO\u0308RG',
      displayTo: 'ANN@B',
    });
    assert.partialDeepStrictEqual(of('From: team: x@y;', 'To: undisclosed'), {
      displayFrom: 'TEAM',
      displayTo: 'UNDISCLOSED',
    });
  });

  it('is no longer than a line of a list', () => {
    assert.equal(of(`Subject: ${'x'.repeat(100_000)}`).sortSubject.length, 500);
  });
});
