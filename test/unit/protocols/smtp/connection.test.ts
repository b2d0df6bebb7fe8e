/** The conversation: greeting, order, lines, ends. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { smtpWorld } from '../../../support/smtp.ts';

test('the greeting comes at once, EHLO lists what there is in the agreed order', async () => {
  await using world = smtpWorld();
  const talk = world.connect();
  assert.equal(await talk.line(), '220 mail.example.org ESMTP ready');
  assert.equal(
    await talk.ask('EHLO [10.0.0.1]'),
    [
      '250-mail.example.org',
      '250-PIPELINING',
      '250-SIZE 104857600',
      '250-STARTTLS',
      '250-ENHANCEDSTATUSCODES',
      '250-8BITMIME',
      '250-LIMITS RCPTMAX=1000',
      '250 SMTPUTF8',
    ].join('\n'),
  );
});
