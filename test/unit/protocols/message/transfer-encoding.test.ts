/**
 * Transfer encodings give their octets back, also when they were damaged on the way.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readStructure } from '#protocols/message/part';
import { decodeTransfer, encodingOf } from '#protocols/message/transfer-encoding';
import { mail } from '../../../support/mail.ts';

function check(encoding: string, encoded: string, decoded: string): void {
  it(JSON.stringify(encoded), () => {
    const octets = decodeTransfer(encoding, Buffer.from(encoded, 'latin1'));
    assert.equal(octets?.toString('latin1'), decoded);
  });
}

describe('base64', () => {
  check('base64', 'SGVsbG8=', 'Hello');
  check('base64', 'SGVs\r\nbG8=\r\n', 'Hello');
  check('base64', 'SGVs-_bG8=', 'Hello');
  check('base64', 'SG!Vs\u00ff bG8', 'Hello');
  check('base64', 'SGVsbG8=SGVsbG8=', 'HelloHello');
  check('base64', 'SGVsbA==\r\n\r\nbw==\r\n', 'Hello');
  check('base64', '', '');
  check('base64', '====', '');
});

describe('quoted-printable', () => {
  check('quoted-printable', 'a=3Db =c3=BC', 'a=b \u00c3\u00bc');
  check('quoted-printable', 'soft=\r\nbreak= \t\nagain=', 'softbreakagain');
  check('quoted-printable', 'blanks \t \r\nend \n', 'blanks\r\nend\n');
  check('quoted-printable', 'meant=20\r\ntoo=09 \r\n', 'meant \r\ntoo\t\r\n');
  check('quoted-printable', 'no=XX code=4', 'no=XX code=4');
});

describe('others', () => {
  check('8bit', 'a\u00ff\r\n', 'a\u00ff\r\n');
  it('are unknown', () => assert.equal(decodeTransfer('uuencode', Buffer.from('x')), undefined));
});

describe('the name of an encoding', () => {
  const nameIn = (...lines: string[]): string => encodingOf(readStructure(mail(...lines, '')));
  it('is 7bit where nothing is said', () => {
    assert.equal(nameIn(), '7bit');
    assert.equal(nameIn('Content-Transfer-Encoding:'), '7bit');
  });
  it('is in lower case and without comments', () => {
    assert.equal(nameIn('Content-Transfer-Encoding: BASE64 (six bits)'), 'base64');
    assert.equal(nameIn('Content-Transfer-Encoding: Quoted-Printable;'), 'quoted-printable');
  });
});
