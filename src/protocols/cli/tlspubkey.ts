/**
 * `config tlspubkey`: the TLS keys with which devices log in, asked of the running server.
 */

import type { ShownTlsKey } from './control-commands.ts';
import type { KeyAddFlags, KeyChangeFlags, RunningFlags } from './flags.ts';
import { printList } from './lists.ts';
import { askServer, type Tools } from './tools.ts';

/** Nothing but the certificate leaves this process: the private key may stand beside it. */
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/;

export async function addKey(login: string, flags: KeyAddFlags, tools: Tools): Promise<void> {
  const certificate = CERTIFICATE.exec(await tools.terminal.input())?.[0];
  if (certificate === undefined) {
    throw new Error('There is no certificate in PEM on standard input.');
  }
  const { name } = flags;
  const key = await askForKey('add', flags, tools, {
    login,
    certificate,
    noImapPreauth: !flags.imapPreauth,
    ...(name === undefined ? {} : { name }),
  });
  tools.terminal.out(flags.json ? JSON.stringify(key) : key.fingerprint);
}

export async function changeKey(
  fingerprint: string,
  flags: KeyChangeFlags,
  tools: Tools,
): Promise<void> {
  const { name, login, imapPreauth } = flags;
  const key = await askForKey('change', flags, tools, {
    fingerprint,
    ...(name === undefined ? {} : { name }),
    ...(login === undefined ? {} : { login }),
    ...(imapPreauth === undefined ? {} : { noImapPreauth: !imapPreauth }),
  });
  tools.terminal.out(flags.json ? JSON.stringify(key) : rowOf(key).join('\t'));
}

export async function removeKey(
  fingerprint: string,
  flags: RunningFlags,
  tools: Tools,
): Promise<void> {
  const key = await askForKey('rm', flags, tools, { fingerprint });
  if (flags.json) tools.terminal.out(JSON.stringify(key));
}

export async function showKey(
  fingerprint: string,
  flags: RunningFlags,
  tools: Tools,
): Promise<void> {
  const { terminal } = tools;
  const key = await askForKey('get', flags, tools, { fingerprint });
  if (flags.json) return terminal.out(JSON.stringify(key));
  terminal.out(`fingerprint: ${key.fingerprint}`);
  terminal.out(`type: ${key.type}`);
  terminal.out(`name: ${key.name}`);
  terminal.out(`account: ${key.account}`);
  terminal.out(`login address: ${key.login}`);
  terminal.out(`no imap preauth: ${key.noImapPreauth}`);
  terminal.out(`added: ${key.addedAt}`);
  for (const line of key.certificate.trimEnd().split('\n')) terminal.out(line);
}

export async function listKeys(
  account: string | undefined,
  flags: RunningFlags,
  tools: Tools,
): Promise<void> {
  const asked = account === undefined ? {} : { account };
  const keys = (await askServer('tlspubkey.list', flags, tools, asked)) as readonly ShownTlsKey[];
  const columns = '# fingerprint, type, name, account, login address, no imap preauth (N)';
  await printList([keys], columns, rowOf, flags, tools);
}

function rowOf(key: ShownTlsKey): readonly string[] {
  const { fingerprint, type, name, account, login, noImapPreauth } = key;
  return [fingerprint, type, name, account, login, noImapPreauth ? 'N' : ''];
}

async function askForKey(
  command: string,
  flags: RunningFlags,
  tools: Tools,
  fields: object,
): Promise<ShownTlsKey> {
  return (await askServer(`tlspubkey.${command}`, flags, tools, fields)) as ShownTlsKey;
}
