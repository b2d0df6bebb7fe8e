/** Names that a mailbox can have, and how they are spelled. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  canonicalMailboxName,
  isBelow,
  MAILBOX_NAME_BYTES_MAX,
  newMailboxName,
  parentNames,
} from '#domain/values/mailbox-name';

describe('the name of a mailbox', () => {
  it('has Inbox spelled one way, alone or as the first component', () => {
    assert.equal(canonicalMailboxName('iNbOx'), 'Inbox');
    assert.equal(canonicalMailboxName('INBOX/INBOX'), 'Inbox/INBOX');
    assert.equal(canonicalMailboxName('inboxes'), 'inboxes');
    assert.equal(canonicalMailboxName('a/inbox'), 'a/inbox');
  });

  it('may hold what only other protocols find special', () => {
    for (const name of ['a%b', 'a*b', 'a&b', 'a b', '...', 'a#', '~', '\u263a', 'a\\b', '"']) {
      assert.equal(canonicalMailboxName(name), name);
    }
  });

  it('has no empty or dotted component, no namespace, no control characters, only NFC', () => {
    const bad = [
      '',
      '/',
      '/a',
      'a/',
      'a//b',
      '.',
      '..',
      'a/./b',
      'a/..',
      '#a',
      'a\u0000',
      'a\u007f',
    ];
    for (const name of [...bad, 'a\u0085', 'a\u2028', 'a\u2029', 'a\u0308', '\ud800']) {
      assert.equal(canonicalMailboxName(name), undefined, JSON.stringify(name));
    }
  });

  it('has a limit in octets', () => {
    assert.ok(canonicalMailboxName('x'.repeat(MAILBOX_NAME_BYTES_MAX)));
    assert.equal(canonicalMailboxName('x'.repeat(MAILBOX_NAME_BYTES_MAX + 1)), undefined);
    assert.equal(canonicalMailboxName('\u263a'.repeat(167)), undefined);
  });

  it('may end in one slash when it is new', () => {
    assert.equal(newMailboxName('a/b/'), 'a/b');
    assert.equal(newMailboxName('inbox/'), 'Inbox');
    assert.equal(newMailboxName('a//'), undefined);
    assert.equal(newMailboxName('/'), undefined);
  });
});

describe('the hierarchy', () => {
  it('has parents from the outside in', () => {
    assert.deepEqual(parentNames('a/b/c'), ['a', 'a/b']);
    assert.deepEqual(parentNames('a'), []);
  });

  it('knows what is below what', () => {
    assert.ok(isBelow('a/b', 'a'));
    assert.ok(!isBelow('a', 'a'));
    assert.ok(!isBelow('ab', 'a'));
  });
});
