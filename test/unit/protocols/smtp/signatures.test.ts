/** What our users send is signed; an independent verifier reads what the queue has. */

import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { it } from 'node:test';
import { dkimVerify } from 'mailauth/lib/dkim/verify.js';
import { smtpWorld, type World } from '../../../support/smtp.ts';
import { handIn } from '../../../support/submission.ts';
import { Fault } from '#domain/values/fault';
import { dkimRecordText } from '#protocols/trust/dkim-record';

const RSA = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
const ED25519 = generateKeyPairSync('ed25519').privateKey;

const FROM = 'From: Alice <alice@example.org>\r\n';

async function submitted(world: World, message: string): Promise<string> {
  const { event, text } = await handIn(world, message);
  assert.equal(event.sizeBytes, Buffer.byteLength(text, 'latin1'));
  return text;
}

function signing(world: World): void {
  world.signingKeys.set('example.org', [
    { name: 's1', key: ED25519 },
    { name: 's2', key: RSA },
  ]);
}

/** Verdicts by selector. */
async function verdicts(text: string): Promise<Readonly<Record<string, string>>> {
  const { results } = await dkimVerify(Buffer.from(text, 'latin1'), {
    resolver: async (name: string) => [[recordOf(name)]],
    curTime: new Date(Date.UTC(2026, 0, 1)),
    minBitLength: 1024,
  });
  return Object.fromEntries(results.map(({ selector, status }) => [selector, status.result]));
}

function recordOf(name: string): string {
  const [key, algorithm] = name.startsWith('s1.')
    ? ([ED25519, 'ed25519'] as const)
    : ([RSA, 'rsa'] as const);
  return dkimRecordText({ algorithm, publicKey: publicKeyOf(key) });
}

function publicKeyOf(key: KeyObject): string {
  const publicKey = createPublicKey(key);
  if (key.asymmetricKeyType === 'rsa') {
    return publicKey.export({ format: 'der', type: 'spki' }).toString('base64');
  }
  const { x = '' } = publicKey.export({ format: 'jwk' });
  return Buffer.from(x, 'base64url').toString('base64');
}

it('smtp 91, 92: all keys of the domain in From sign, also what was added', async () => {
  await using world = smtpWorld({ role: 'submission' });
  signing(world);
  const bcc = 'Bcc: hidden@x.example\r\n';
  const text = await submitted(
    world,
    `${FROM}To: x@other.example\r\n${bcc}\r\nhi you\r\n..\r\n\r\n`,
  );
  assert.deepEqual(await verdicts(text), { s1: 'pass', s2: 'pass' });
  const unfolded = text.replace(/\r\n[ \t]+/g, ' ');
  const fields = [...unfolded.matchAll(/^([\w-]+):/gm)].map(([, name]) => name);
  assert.deepEqual(fields.slice(0, 5), [
    'Received',
    'Authentication-Results',
    'DKIM-Signature',
    'DKIM-Signature',
    'Message-ID',
  ]);
  assert.match(unfolded, /s=s1;.*h=From:From:To:To:Cc:.*Date:Date:.*Message-Id:Message-Id:/i);
  assert.ok(!text.includes('hidden'));
  for (const [what, instead] of [
    ['To: x@', 'Subject: more\r\nTo: x@'],
    ['Message-ID: <', 'Message-ID: <1'],
    ['hi you', 'hi  you!'],
  ] as const) {
    const changed = await verdicts(text.replace(what, instead));
    assert.ok(!Object.values(changed).includes('pass'), what);
  }
});

it('mail from a domain without keys is not signed', async () => {
  await using world = smtpWorld({ role: 'submission' });
  world.signingKeys.set('other.example', [{ name: 's1', key: ED25519 }]);
  assert.ok(!(await submitted(world, `${FROM}\r\nhi\r\n`)).includes('DKIM-Signature'));
});

it('what cannot be signed goes all the same, and the log says so', async () => {
  await using world = smtpWorld({ role: 'submission' });
  const unreadable = new Fault('SecretUnreadable', 'gone', { temporary: false });
  world.ports.signing.signingKeys = () => Promise.reject(unreadable);
  assert.ok(!(await submitted(world, `${FROM}\r\nhi\r\n`)).includes('DKIM-Signature'));
  assert.ok(world.logged.includes('error message not signed'));
});
