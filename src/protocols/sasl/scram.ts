/**
 * SCRAM: proving that one knows a password without sending it, and seeing that the server knows
 * it too; with -PLUS also that nobody sits in between.
 *
 * Invariants: an unknown login goes through every step and fails at the proof; proofs are compared
 * in constant time. Steps are numbered as in RFC 5802 §3 and §5; the letters are its attributes.
 * RFC 5802, RFC 7677 (SHA-256), RFC 9266 and RFC 5929 (what channels are bound by).
 * not RFC 5802 §5.1: names are brought to form C and not through SASLprep; passwords go through
 * the newer RFC 8265, which agrees with SASLprep on what people type.
 */

import { Buffer } from 'node:buffer';
import { createHash, createHmac, pbkdf2, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { unreachable } from '#domain/values/decision';
import type { ScramHash, ScramVerifier, TlsFacts } from '../ports.ts';
import {
  failed,
  needsTls,
  stepOf,
  type ClientContext,
  type ClientExchange,
  type ClientFailure,
  type ClientStep,
  type Mechanism,
  type ServerContext,
  type ServerExchange,
  type ServerStep,
} from './mechanism.ts';
import { prepareLogin, preparePassword } from './prepare.ts';
import {
  BadMessage,
  base64Of,
  escapedName,
  parseClientFinal,
  parseClientFirst,
  parseServerFirst,
  textOf,
  valueOf,
} from './scram-messages.ts';

const NONCE_BYTES = 18;
const EMPTY: Buffer = Buffer.alloc(0);

const derive = promisify(pbkdf2);

export function scramMechanism(name: string, hash: ScramHash, bindsChannel: boolean): Mechanism {
  const mechanism: Mechanism = {
    name,
    sendsPassword: false,
    bindsChannel,
    usesKey: false,
    startServer: (context) => new ScramServer(mechanism, hash, context, freshNonce(context)),
    startClient: (context) => new ScramClient(mechanism, hash, context, freshNonce(context)),
  };
  return mechanism;
}

function freshNonce(context: ServerContext | ClientContext): string {
  return context.random.bytes(NONCE_BYTES).toString('base64');
}

export class ScramServer implements ServerExchange {
  readonly #mechanism: Mechanism;
  readonly #hash: ScramHash;
  readonly #context: ServerContext;
  readonly #nonce: string;
  #state: ServerState = { type: 'start' };
  claimedLogin: string | undefined;

  constructor(mechanism: Mechanism, hash: ScramHash, context: ServerContext, nonce: string) {
    this.#mechanism = mechanism;
    this.#hash = hash;
    this.#context = context;
    this.#nonce = nonce;
  }

  async next(response: Buffer | undefined): Promise<ServerStep> {
    if (needsTls(this.#mechanism, this.#context)) return failed({ type: 'needs-tls' });
    try {
      const state = this.#state;
      switch (state.type) {
        case 'start':
          if (response === undefined) return { type: 'challenge', data: EMPTY };
          return await this.#first(textOf(response));
        case 'challenged':
          return this.#final(textOf(response ?? EMPTY), state);
        case 'proven':
          if ((response ?? EMPTY).length > 0) throw new BadMessage('Nothing more is expected.');
          return state.end;
        default:
          return unreachable(state);
      }
    } catch (error) {
      if (!(error instanceof BadMessage)) throw error;
      return failed({ type: 'bad-exchange', what: error.message });
    }
  }

  /** client-first-message: gs2-header, `n=` login, `r=` nonce; answered by `r=`, `s=`, `i=`. */
  async #first(text: string): Promise<ServerStep> {
    const first = parseClientFirst(text);
    this.claimedLogin = first.login;
    const refusal = this.#refusalOfBinding(first.binding);
    if (refusal !== undefined) return refusal;
    if (first.asWhom !== '' && prepareLogin(first.asWhom) !== prepareLogin(first.login)) {
      return failed({ type: 'not-authorized' });
    }
    const verifier = await this.#context.logins.scramVerifier(first.login, this.#hash);
    if (verifier === undefined) return failed({ type: 'no-secret' });
    const nonce = first.nonce + this.#nonce;
    const answer = `r=${nonce},s=${verifier.salt.toString('base64')},i=${verifier.iterations}`;
    const bound = bindingInput(first.header, this.#mechanism, this.#context.tls);
    const transcript = `${first.bare},${answer}`;
    this.#state = { type: 'challenged', login: first.login, nonce, verifier, bound, transcript };
    return { type: 'challenge', data: Buffer.from(answer) };
  }

  /** RFC 5802 §6: which gs2-cbind-flag goes with which mechanism. */
  #refusalOfBinding(binding: string): ServerStep | undefined {
    // We always offer PLUS. A client that was not shown it is being deceived.
    if (binding === 'y') return failed({ type: 'wrong-binding' });
    const plus = binding.startsWith('p=');
    if (plus !== this.#mechanism.bindsChannel) {
      throw new BadMessage('The channel binding flag does not go with the mechanism.');
    }
    if (plus && binding !== `p=${this.#context.tls?.channelBinding.type}`) {
      return failed({ type: 'wrong-binding' });
    }
    return undefined;
  }

  /** client-final-message: `c=` binding, `r=` nonce, `p=` proof; answered by `v=`. */
  #final(text: string, state: Challenged): ServerStep {
    const final = parseClientFinal(text);
    if (final.nonce !== state.nonce) throw new BadMessage('The nonce is not the one we sent.');
    if (!final.bound.equals(state.bound)) return failed({ type: 'wrong-binding' });
    const message = `${state.transcript},${final.withoutProof}`;
    const { verifier } = state;
    const clientSignature = hmac(this.#hash, verifier.storedKey, message);
    if (final.proof.length !== clientSignature.length) throw new BadMessage('Not a proof.');
    const clientKey = xor(final.proof, clientSignature);
    const right = timingSafeEqual(digest(this.#hash, clientKey), verifier.storedKey);
    if (!right || !verifier.known) return failed({ type: 'wrong-credentials' });
    const end = stepOf(this.#context.logins.admit(state.login), this.#context);
    if (end.type !== 'done') return end;
    this.#state = { type: 'proven', end };
    const serverSignature = hmac(this.#hash, verifier.serverKey, message);
    return { type: 'challenge', data: Buffer.from(`v=${serverSignature.toString('base64')}`) };
  }
}

interface Challenged {
  readonly type: 'challenged';
  readonly login: string;
  readonly nonce: string;
  readonly verifier: ScramVerifier;
  readonly bound: Buffer;
  /** client-first-message-bare and server-first-message. */
  readonly transcript: string;
}

type ServerState =
  { readonly type: 'start' } | Challenged | { readonly type: 'proven'; readonly end: ServerStep };

export class ScramClient implements ClientExchange {
  readonly #mechanism: Mechanism;
  readonly #hash: ScramHash;
  readonly #context: ClientContext;
  readonly #nonce: string;
  readonly #header: string;
  readonly #bare: string;
  #serverSignature: Buffer | undefined;
  #complete = false;

  constructor(mechanism: Mechanism, hash: ScramHash, context: ClientContext, nonce: string) {
    this.#mechanism = mechanism;
    this.#hash = hash;
    this.#context = context;
    this.#nonce = nonce;
    this.#header = `${bindingFlag(mechanism, context)},,`;
    const login = prepareLogin(context.login) ?? context.login;
    this.#bare = `n=${escapedName(login)},r=${nonce}`;
  }

  get initial(): Buffer {
    return Buffer.from(this.#header + this.#bare);
  }

  get complete(): boolean {
    return this.#complete;
  }

  async next(challenge: Buffer): Promise<ClientStep> {
    try {
      if (this.#serverSignature === undefined) return await this.#prove(textOf(challenge));
      return this.#judge(textOf(challenge), this.#serverSignature);
    } catch (error) {
      if (!(error instanceof BadMessage)) throw error;
      return notGoingOn({ type: 'bad-exchange', what: error.message });
    }
  }

  /** server-first-message: `r=` both nonces, `s=` salt, `i=` iterations; answered by the proof. */
  async #prove(text: string): Promise<ClientStep> {
    const { nonce, salt, iterations } = parseServerFirst(text);
    if (!nonce.startsWith(this.#nonce) || nonce.length === this.#nonce.length) {
      throw new BadMessage('The nonce does not continue ours.');
    }
    // A password outside the profile is left for the server to judge.
    const password = preparePassword(this.#context.password) ?? this.#context.password;
    const keyBytes = digest(this.#hash, EMPTY).length;
    const salted = await derive(password, salt, iterations, keyBytes, this.#hash);
    const clientKey = hmac(this.#hash, salted, 'Client Key');
    const storedKey = digest(this.#hash, clientKey);
    const bound = bindingInput(this.#header, this.#mechanism, this.#context.tls);
    const withoutProof = `c=${bound.toString('base64')},r=${nonce}`;
    const message = `${this.#bare},${text},${withoutProof}`;
    const proof = xor(clientKey, hmac(this.#hash, storedKey, message));
    const serverKey = hmac(this.#hash, salted, 'Server Key');
    this.#serverSignature = hmac(this.#hash, serverKey, message);
    const answer = `${withoutProof},p=${proof.toString('base64')}`;
    return { type: 'response', data: Buffer.from(answer) };
  }

  /** server-final-message: `v=` signature or `e=` error; answered by nothing. */
  #judge(text: string, expected: Buffer): ClientStep {
    const [first] = text.split(',');
    const word = valueOf(first, 'e', false);
    if (word !== undefined) return notGoingOn({ type: 'refused', word });
    const signature = base64Of(valueOf(first, 'v'));
    if (signature.length !== expected.length || !timingSafeEqual(signature, expected)) {
      return notGoingOn({ type: 'server-not-genuine' });
    }
    this.#complete = true;
    return { type: 'response', data: EMPTY };
  }
}

function notGoingOn(failure: ClientFailure): ClientStep {
  return { type: 'failed', failure };
}

/** RFC 5802 §6: `p` with PLUS, `y` when we could but were not asked to, else `n`. */
function bindingFlag(mechanism: Mechanism, context: ClientContext): string {
  if (mechanism.bindsChannel) return `p=${context.tls?.channelBinding.type}`;
  const plusOffered = context.offered.some(
    (name) => name.toUpperCase() === `${mechanism.name}-PLUS`,
  );
  return context.tls === undefined || plusOffered ? 'n' : 'y';
}

/** cbind-input: gs2-header and, with PLUS, what binds the channel. */
function bindingInput(header: string, mechanism: Mechanism, tls: TlsFacts | undefined): Buffer {
  const data = mechanism.bindsChannel ? tls?.channelBinding.data : undefined;
  return Buffer.concat([Buffer.from(header), data ?? EMPTY]);
}

function hmac(hash: ScramHash, key: Buffer, data: string): Buffer {
  return createHmac(hash, key).update(data).digest();
}

function digest(hash: ScramHash, data: Buffer): Buffer {
  return createHash(hash).update(data).digest();
}

function xor(a: Buffer, b: Buffer): Buffer {
  return Buffer.from(a.map((octet, i) => octet ^ (b[i] ?? 0)));
}
