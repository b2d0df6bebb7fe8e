/**
 * What the running server does when the command line asks it to.
 */

import type { Refusal } from '#domain/values/decision';
import type { RecordedLogin, RecordedLogins, RegisteredTlsKey, TlsKeys } from '../ports.ts';
import type { AdministeredAccounts, RecordedTlsResults } from '../ports-admin.ts';
import { readClientCertificate } from '../sasl/client-key.ts';
import { accountShown, type ShownAccount } from './account-record.ts';
import { ControlError, type ControlCommands } from './control.ts';
import { CAUSE, granted } from './control-answers.ts';
import { commandsOf, type CommandTable, type ControlFields } from './control-fields.ts';
import { tlsResultCommands } from './control-tls-results.ts';
import { timeOf } from './record-values.ts';

/** A TLS key as it goes over the control socket, and into `--json`. */
export interface ShownTlsKey {
  readonly fingerprint: string;
  readonly type: string;
  readonly name: string;
  readonly account: string;
  readonly login: string;
  readonly noImapPreauth: boolean;
  /** ISO 8601, UTC. */
  readonly addedAt: string;
  /** PEM. */
  readonly certificate: string;
}

/** Equal attempts to log in, as they go over the control socket, and into `--json`. */
export interface ShownAttempt extends Omit<RecordedLogin, 'firstAt' | 'lastAt' | 'accountId'> {
  /** ISO 8601, UTC. */
  readonly firstAt: string;
  readonly lastAt: string;
}

export interface ControlledParts {
  readonly accounts: AdministeredAccounts;
  readonly keys: TlsKeys;
  readonly attempts: RecordedLogins;
  readonly tlsResults: RecordedTlsResults;
}

/** Attempts that are listed when nobody says how many. */
const ATTEMPTS_LISTED = 100;

const ACCOUNT_COMMANDS: CommandTable<AdministeredAccounts> = {
  'account.show': showAccount,
  'account.set': setAccount,
};

const KEY_COMMANDS: CommandTable<TlsKeys> = {
  'tlspubkey.add': async (fields, keys) => shown(await addKey(fields, keys)),
  'tlspubkey.change': async (fields, keys) => shown(await changeKey(fields, keys)),
  'tlspubkey.rm': async (fields, keys) =>
    shown(granted(await keys.remove(fingerprintIn(fields), CAUSE))),
  'tlspubkey.get': (fields, keys) => shown(granted(keyOf(fingerprintIn(fields), keys))),
  'tlspubkey.list': (fields, keys) => {
    const account = fields.optionalText('account');
    fields.end();
    return granted(keys.list(account)).map(shown);
  },
};

export function controlCommands({
  accounts,
  keys,
  attempts,
  tlsResults,
}: ControlledParts): ControlCommands {
  return new Map([
    ...commandsOf(ACCOUNT_COMMANDS, accounts),
    ...commandsOf(KEY_COMMANDS, keys),
    ...commandsOf({ 'loginattempts.list': listAttempts }, attempts),
    ...tlsResultCommands(tlsResults),
  ]);
}

async function showAccount(
  fields: ControlFields,
  accounts: AdministeredAccounts,
): Promise<ShownAccount> {
  const name = fields.text('account');
  fields.end();
  return accountShown(granted(await accounts.get(name)));
}

async function setAccount(
  fields: ControlFields,
  accounts: AdministeredAccounts,
): Promise<ShownAccount> {
  const name = fields.text('account');
  const quotaBytes = fields.optionalCount('quotaBytes');
  const queueBytesMax = fields.optionalCount('queueBytesMax');
  const recipientsPerDayMax = fields.optionalCount('recipientsPerDayMax');
  const newRecipientsPerDayMax = fields.optionalCount('newRecipientsPerDayMax');
  const keepRetiredMs = fields.optionalCount('keepRetiredMs');
  const keepRetiredHooksMs = fields.optionalCount('keepRetiredHooksMs');
  const fromIdLogins = fields.optionalTexts('fromIdLogins');
  const hidden = fields.optionalTexts('hiddenCapabilities');
  fields.end();
  const changes = {
    ...(quotaBytes === undefined ? {} : { quotaBytes }),
    ...(queueBytesMax === undefined ? {} : { queueBytesMax }),
    ...(recipientsPerDayMax === undefined ? {} : { recipientsPerDayMax }),
    ...(newRecipientsPerDayMax === undefined ? {} : { newRecipientsPerDayMax }),
    ...(keepRetiredMs === undefined ? {} : { keepRetiredMs }),
    ...(keepRetiredHooksMs === undefined ? {} : { keepRetiredHooksMs }),
    ...(fromIdLogins === undefined ? {} : { fromIdLogins: [...new Set(fromIdLogins)].sort() }),
    ...(hidden === undefined ? {} : { hiddenCapabilities: capabilityNames(hidden) }),
  };
  return accountShown(granted(await accounts.change(name, changes, CAUSE)));
}

/** In capitals, each once, sorted: the same names are the same setting. */
function capabilityNames(given: readonly string[]): readonly string[] {
  const names = new Set(given.map((name) => name.toUpperCase()));
  for (const name of names) {
    if (/^[A-Z\d][A-Z\d+=.-]*$/.test(name)) continue;
    throw new ControlError('BadCapability', `No capability can be called ${name}.`);
  }
  return [...names].sort();
}

async function listAttempts(
  fields: ControlFields,
  attempts: RecordedLogins,
): Promise<readonly ShownAttempt[]> {
  const account = fields.optionalText('account');
  const failedOnly = fields.optionalBoolean('failedOnly') ?? false;
  const limit = fields.optionalCount('limit') ?? ATTEMPTS_LISTED;
  fields.end();
  const found = granted(await attempts.list({ account, failedOnly, limit }));
  return found.map((one) => {
    const { accountId: _, firstAt, lastAt, ...attempt } = one;
    return {
      ...attempt,
      firstAt: timeOf(firstAt),
      lastAt: timeOf(lastAt),
    };
  });
}

async function addKey(fields: ControlFields, keys: TlsKeys): Promise<RegisteredTlsKey> {
  const login = fields.text('login');
  const pem = fields.text('certificate');
  const name = fields.optionalText('name');
  const noImapPreauth = fields.optionalBoolean('noImapPreauth') ?? false;
  fields.end();
  const certificate = readClientCertificate(pem);
  if (certificate === undefined) {
    throw new ControlError('BadCertificate', 'The certificate cannot be read: it must be PEM.');
  }
  const key = { ...certificate, name: name ?? certificate.name, noImapPreauth, login };
  return granted(await keys.add(key, CAUSE));
}

async function changeKey(fields: ControlFields, keys: TlsKeys): Promise<RegisteredTlsKey> {
  const fingerprint = fields.text('fingerprint');
  const name = fields.optionalText('name');
  const login = fields.optionalText('login');
  const noImapPreauth = fields.optionalBoolean('noImapPreauth');
  fields.end();
  const changes = {
    ...(name === undefined ? {} : { name }),
    ...(login === undefined ? {} : { login }),
    ...(noImapPreauth === undefined ? {} : { noImapPreauth }),
  };
  return granted(await keys.change(fingerprint, changes, CAUSE));
}

function fingerprintIn(fields: ControlFields): string {
  const fingerprint = fields.text('fingerprint');
  fields.end();
  return fingerprint;
}

function keyOf(fingerprint: string, keys: TlsKeys): RegisteredTlsKey | Refusal {
  return keys.get(fingerprint) ?? { refused: 'NoSuchTlsKey', detail: fingerprint };
}

function shown(key: RegisteredTlsKey): ShownTlsKey {
  const { fingerprint, keyType, name, account, login, noImapPreauth } = key;
  return {
    fingerprint,
    type: keyType,
    name,
    account,
    login,
    noImapPreauth,
    addedAt: timeOf(key.addedAt),
    certificate: pemOf(key.certificate),
  };
}

/** RFC 7468 §2: lines of 64 characters. */
function pemOf(certificate: string): string {
  const base64 = Buffer.from(certificate, 'base64url').toString('base64');
  const lines = base64.match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}
