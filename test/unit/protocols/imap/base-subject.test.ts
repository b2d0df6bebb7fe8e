/**
 * The base subject, step by step and in all the forms that mail programs have made up.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { baseSubject } from '#protocols/imap/base-subject';

const REPLY = true;
const PLAIN = false;

/** RFC 5256 §2.1, §5 */
const CASES: readonly (readonly [subject: string, text: string, isReply: boolean])[] = [
  ['', '', PLAIN],
  ['hello', 'hello', PLAIN],
  ['  hello \t there  ', 'hello there', PLAIN],
  ['Re: hello', 'hello', REPLY],
  ['RE:hello', 'hello', REPLY],
  ['re : hello', 'hello', REPLY],
  ['Re: Re: Re: hello', 'hello', REPLY],
  ['Fw: hello', 'hello', REPLY],
  ['FWD: hello', 'hello', REPLY],
  ['Fwd: Re: hello', 'hello', REPLY],
  ['Re[2]: hello', 'hello', REPLY],
  ['Re [2] : hello', 'hello', REPLY],
  ['Re(2): hello', 'Re(2): hello', PLAIN],
  ['Reply: hello', 'Reply: hello', PLAIN],
  ['re hello', 're hello', PLAIN],
  ['hello (fwd)', 'hello', REPLY],
  ['hello (FWD) (fwd) ', 'hello', REPLY],
  ['hello(fwd)', 'hello', REPLY],
  ['(fwd)', '', REPLY],
  ['[list] hello', 'hello', PLAIN],
  ['[list] [sub] hello', 'hello', PLAIN],
  ['[list] Re: hello', 'hello', REPLY],
  ['Re: [list] hello', 'hello', REPLY],
  ['[a] [b] re: [c] fw: hello', 'hello', REPLY],
  ['[list]', '[list]', PLAIN],
  ['[list] [sub]', '[sub]', PLAIN],
  ['Re: [list]', '[list]', REPLY],
  ['[list] Re:', '', REPLY],
  ['Re:', '', REPLY],
  ['[fwd: hello]', 'hello', REPLY],
  ['[Fwd: [fwd: hello]]', 'hello', REPLY],
  ['[fwd: Re: hello (fwd)]', 'hello', REPLY],
  ['Re: [fwd: hello]', 'hello', REPLY],
  ['[fwd: [list] hello] (fwd)', 'hello', REPLY],
  ['[fwd:]', '', REPLY],
  ['[list] [fwd: hello]', 'hello', REPLY],
  ['[fwd: hello', '[fwd: hello', PLAIN],
  ['[un[balanced] hello', '[un[balanced] hello', PLAIN],
  ['hello [world]', 'hello [world]', PLAIN],
  ['hello Re: world', 'hello Re: world', PLAIN],
];

describe('the base subject', () => {
  for (const [subject, text, isReply] of CASES) {
    it(`of ${JSON.stringify(subject)}`, () => {
      assert.deepEqual(baseSubject(subject), { text, isReply });
    });
  }

  it('is its own base subject, however the parts are put together', () => {
    const part = fc.constantFrom('Re:', 'fwd:', ' ', '[x]', '(fwd)', '[fwd:', ']', 'a', 're');
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
        const { text } = baseSubject(parts.join(''));
        assert.deepEqual(baseSubject(text), { text, isReply: false });
      }),
      { numRuns: 500, seed: 20_260_601 },
    );
  });

  it('of a long subject does not take long', () => {
    assert.equal(baseSubject('[x]'.repeat(330)).text, '[x]');
    assert.equal(baseSubject('Re:'.repeat(330)).text, '');
    assert.equal(baseSubject(' (fwd)'.repeat(160)).text, '');
  });
});
