/** Our own signatures, recognised again. */

import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readHeader } from '#protocols/message/header';
import { signMessage, type DkimSelector } from '#protocols/trust/dkim';
import { OwnSignatures } from '#protocols/trust/own-signatures';

const AT = Date.UTC(2026, 0, 2);
const DAY_MS = 24 * 3_600_000;
const RSA: DkimSelector = {
  name: 'r1',
  key: generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey,
};
const ED25519: DkimSelector = { name: 'e1', key: generateKeyPairSync('ed25519').privateKey };
const KEYS = { domain: 'example.org', selectors: [RSA, ED25519] };
const HEADER =
  'From: Alice <alice@example.org>\r\nTo: x@other.example\r\nSubject: a\r\n  b\r\n\r\n';
const BODY = 'hi  there \r\n\r\n.. \r\n\r\n';

async function* cut(text: string, octets: number): AsyncGenerator<Buffer> {
  const whole = Buffer.from(text, 'latin1');
  for (let at = 0; at < whole.length; at += octets) yield whole.subarray(at, at + octets);
}

function signatures(selector: Partial<DkimSelector> = {}, domain = 'example.org'): Promise<string> {
  const selectors = [{ ...ED25519, ...selector }];
  return signMessage({ selectors, domain, header: HEADER, bodyOctets: cut(BODY, 1000), at: AT });
}

interface Came {
  readonly header: string;
  readonly body?: string;
  readonly at?: number;
  readonly keys?: ConstructorParameters<typeof OwnSignatures>[1];
  /** How many octets come at once. */
  readonly pieces?: number;
}

async function isProven(came: Came): Promise<boolean> {
  const { header, body = BODY, at = AT, keys = KEYS, pieces = 1000 } = came;
  const proof = new OwnSignatures(readHeader(header), keys, at);
  const passed: Buffer[] = [];
  for await (const chunk of proof.watching(cut(header + body, pieces), header.length)) {
    passed.push(chunk);
  }
  assert.equal(Buffer.concat(passed).toString('latin1'), header + body);
  return proof.areRight();
}

describe('a signature of ours', () => {
  it('is right, whatever its forms and its key, and however the message comes', async () => {
    for (const selector of [RSA, ED25519]) {
      for (const header of ['simple', 'relaxed'] as const) {
        for (const body of ['simple', 'relaxed'] as const) {
          const signed = await signatures({ ...selector, header, body });
          for (const pieces of [1, 7, 1000]) {
            assert.ok(await isProven({ header: signed + HEADER, pieces }), `${header}/${body}`);
          }
        }
      }
    }
  });

  it('is right below what others have put above it, and folded anew', async () => {
    const signed = await signatures();
    const above = 'Received: from elsewhere\r\nDKIM-Signature: v=1; d=other.example; s=e1\r\n';
    const folded = signed.replaceAll('; ', ';\r\n\t').replace('\tb=', '\tb=\r\n ');
    assert.ok(await isProven({ header: above + signed + HEADER }));
    assert.ok(await isProven({ header: folded + HEADER }));
  });

  it('is wrong when anything that is signed is another', async () => {
    const signed = await signatures();
    const wrong: Readonly<Record<string, Came>> = {
      'no signature': { header: HEADER },
      'another body': { header: signed + HEADER, body: `${BODY}more` },
      'another From': { header: signed + HEADER.replace('alice', 'bob') },
      'a second From': { header: `From: bob@example.org\r\n${signed}${HEADER}` },
      'a second Subject': { header: `${signed}Subject: c\r\n${HEADER}` },
      'another digest': { header: signed.replace(/bh=./, 'bh=!') + HEADER },
      'another signature': { header: signed.replace(/\tb=./, '\tb=!') + HEADER },
      'no algorithm of the key': {
        header: signed.replace('ed25519-sha256', 'rsa-sha256') + HEADER,
      },
      'a part of the body': { header: signed.replace('v=1;', 'v=1; l=0;') + HEADER },
      'a tag that stands twice': { header: signed.replace('v=1;', 'v=1; v=1;') + HEADER },
      'another version': { header: signed.replace('v=1;', 'v=2;') + HEADER },
      'no form that there is': { header: signed.replace('relaxed/relaxed', 'a/b') + HEADER },
      'a domain of others': { header: (await signatures({}, 'other.example')) + HEADER },
      'a key of others': {
        header: signed + HEADER,
        keys: { domain: 'example.org', selectors: [{ name: 'e1', key: RSA.key }] },
      },
      'a key that is gone': { header: signed + HEADER, keys: { ...KEYS, selectors: [RSA] } },
    };
    for (const [name, came] of Object.entries(wrong)) {
      assert.equal(await isProven(came), false, name);
    }
  });

  it('is wrong, and nothing worse, with any tag being anything', async () => {
    const octets = fc.string({
      unit: fc.constantFrom(...'ab1=;: \t,/é"\\', '\r\n '),
      maxLength: 20,
    });
    const value = fc.oneof(octets, fc.base64String({ maxLength: 400 }), fc.constant(''));
    const signed = { e1: await signatures(), r1: await signatures(RSA) };
    const tags = ['v', 'a', 'c', 'd', 's', 't', 'h', 'bh', 'b'] as const;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('e1', 'r1'),
        fc.constantFrom(...tags),
        value,
        async (selector, tag, text) => {
          const was = new RegExp(`([;:]\\s+${tag}=)[^;]*`);
          const header = signed[selector].replace(was, (_, start: string) => start + text);
          const same = header.replace(/\s/g, '') === signed[selector].replace(/\s/g, '');
          if (!same) assert.equal(await isProven({ header: `${header}\r\n${HEADER}` }), false);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('counts until it expires', async () => {
    const header = (await signatures({ lifetimeMs: DAY_MS })) + HEADER;
    assert.equal(await isProven({ header, at: AT + DAY_MS - 1000 }), true);
    assert.equal(await isProven({ header, at: AT + DAY_MS }), false);
  });

  it('is not looked for behind five others', async () => {
    const signed = await signatures();
    const wrong = signed.replace(/bh=./, 'bh=!');
    assert.equal(await isProven({ header: wrong.repeat(4) + signed + HEADER }), true);
    assert.equal(await isProven({ header: wrong.repeat(5) + signed + HEADER }), false);
  });
});
