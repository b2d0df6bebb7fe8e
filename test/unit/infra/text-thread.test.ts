/**
 * Threads of full-text indexes: they answer, they tell what failed, and they end when they should.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mail } from '../../support/mail.ts';
import { temporaryDirectory } from '../../support/temporary.ts';
import { ALICE, openWorld } from '../../support/world.ts';
import { textThreads } from '#infra/text-thread';

const READER = import.meta.resolve('#protocols/message/text');
const APPLE = { type: 'body-text', text: 'apple' } as const;

describe('threads of an index', () => {
  it('make it and are asked for what it says', async () => {
    await using world = await openWorld();
    for (const text of ['an apple', 'a pear']) {
      await world.append(ALICE, 'Inbox', { octets: mail('Subject: fruit', '', text) });
    }
    const index = world.openTexts(textThreads(READER));
    assert.equal(await index.rebuild(ALICE), 2);
    const found = await index.find(ALICE, APPLE);
    assert.deepEqual(found?.sure, Float64Array.of(1));
    assert.equal(found.upTo, 2);
    const closing = index.rebuild(ALICE);
    await Promise.all([assert.rejects(closing, { code: 'Closing' }), index.close()]);
  });

  it('tell what fails, and go on', async () => {
    await using directory = await temporaryDirectory();
    const thread = textThreads(READER)('finder', {
      damaged: () => assert.fail('it is not damaged'),
      died: () => assert.fail('it goes on'),
    });
    const file = directory.file('texts.db');
    await assert.rejects(thread.ask(file, { type: 'check' }), { code: 'ViewsUnavailable' });
    assert.equal(await thread.ask(file, { type: 'reached' }), undefined);
    await thread.close();
    await assert.rejects(thread.ask(file, { type: 'reached' }), { code: 'Closing' });
  });

  it('take the index with them when they die, and nothing else', async () => {
    await using world = await openWorld();
    await world.append(ALICE, 'Inbox', { octets: mail('Subject: fruit', '', 'an apple') });
    const index = world.openTexts(textThreads('data:text/javascript,export const none = 1'));
    await assert.rejects(index.rebuild(ALICE), { code: 'ViewsUnavailable' });
    assert.equal(await index.find(ALICE, APPLE), undefined);
    assert.deepEqual(
      world.said.filter(({ level }) => level === 'error').map(({ phrase }) => phrase),
      ['text index off until the next start'],
    );
  });
});
