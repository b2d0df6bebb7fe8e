/**
 * Debian's Postfix on this machine, with a folder and ports of its own: bob and büro of
 * test.example have mailboxes, later@test.example is refused for now, mail for others goes on to a
 * sink.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { newCertificate } from './chains.ts';
import { freePort, untilListening } from './ports.ts';
import { missing, runProgram } from './programs.ts';
import { temporaryDirectory } from './temporary.ts';

const DAEMONS = '/usr/lib/postfix/sbin';

export interface Postfix extends AsyncDisposable {
  readonly port: number;
  /** Its folder, with its configuration. */
  readonly dir: string;
  /** Messages in the mailbox of a user, as they lie there, as soon as there are so many. */
  mailOf(user: string, count: number): Promise<readonly string[]>;
}

/** A skip reason when it is missing, or cannot be run. */
export function postfixMissing(): string | false {
  if (missing('postfix')) return missing('postfix');
  return process.getuid?.() === 0 ? false : 'Postfix runs only when root starts it';
}

export async function startPostfix(
  sinkPort: number,
  more: Readonly<Record<string, string>> = {},
): Promise<Postfix> {
  const dir = await temporaryDirectory();
  await chmod(dir.path, 0o755);
  const port = await freePort();
  const owner = await idsOf('postfix');
  for (const name of ['spool', 'data', 'mail']) await mkdir(dir.file(name));
  for (const name of ['data', 'mail']) await chown(dir.file(name), owner.uid, owner.gid);
  const { cert, key } = await newCertificate({ name: 'CN=mx', hosts: ['mx.test.example'] });
  await writeFile(dir.file('tls.pem'), key + cert);
  await writeFile(dir.file('main.cf'), mainCf(dir.path, owner, sinkPort, more));
  await writeFile(dir.file('master.cf'), masterCf(port));
  await writeFile(dir.file('users'), 'bob@test.example bob/\nbüro@test.example büro/\n');
  await writeFile(dir.file('access'), 'later@test.example 450 4.2.1 come again\n');
  const check = await runProgram('postfix', ['-c', dir.path, 'check']);
  if (check.code !== 0) throw new Error(check.stderr);
  const child = spawn(join(DAEMONS, 'master'), ['-c', dir.path, '-d'], {
    stdio: 'ignore',
    detached: true,
  });
  const exited = once(child, 'exit');
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await exited;
  };
  try {
    await untilListening(port);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    port,
    dir: dir.path,
    async mailOf(user, count) {
      const folder = join(dir.file('mail'), user, 'new');
      const giveUpAt = Date.now() + 20_000;
      for (;;) {
        const names = await readdir(folder).catch((): string[] => []);
        if (names.length >= count) {
          return await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
        }
        if (Date.now() > giveUpAt) throw new Error(`${user} has ${names.length} messages`);
        await sleep(50);
      }
    },
    async [Symbol.asyncDispose]() {
      await stop();
      await dir[Symbol.asyncDispose]();
    },
  };
}

interface Ids {
  readonly uid: number;
  readonly gid: number;
}

async function idsOf(user: string): Promise<Ids> {
  const [uid, gid] = await Promise.all(
    ['-u', '-g'].map(async (flag) => Number((await runProgram('id', [flag, user])).stdout)),
  );
  return { uid: uid ?? 0, gid: gid ?? 0 };
}

function mainCf(
  dir: string,
  { uid, gid }: Ids,
  sinkPort: number,
  more: Readonly<Record<string, string>>,
): string {
  const settings = {
    compatibility_level: '3.6',
    queue_directory: `${dir}/spool`,
    data_directory: `${dir}/data`,
    daemon_directory: DAEMONS,
    maillog_file: `${dir}/data/log`,
    maillog_file_prefixes: dir,
    myhostname: 'mx.test.example',
    mydestination: '',
    inet_interfaces: '127.0.0.1',
    inet_protocols: 'ipv4',
    mynetworks: '127.0.0.0/8',
    smtputf8_enable: 'yes',
    message_size_limit: '20000000',
    virtual_mailbox_limit: '0',
    smtpd_tls_security_level: 'may',
    smtpd_tls_chain_files: `${dir}/tls.pem`,
    virtual_mailbox_domains: 'test.example',
    virtual_mailbox_base: `${dir}/mail`,
    virtual_mailbox_maps: `texthash:${dir}/users`,
    virtual_minimum_uid: '1',
    virtual_uid_maps: `static:${uid}`,
    virtual_gid_maps: `static:${gid}`,
    default_transport: `smtp:[127.0.0.1]:${sinkPort}`,
    smtpd_recipient_restrictions: [
      `check_recipient_access texthash:${dir}/access`,
      'permit_mynetworks',
      'reject',
    ].join(', '),
    ...more,
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name} = ${value}\n`)
    .join('');
}

function masterCf(port: number): string {
  const internal = (name: string, program = name, wakeup = '-', processes = '-'): string => {
    const isPrivate = name === 'qmgr' || name === 'cleanup' ? 'n' : '-';
    return `${name} unix ${isPrivate} - n ${wakeup} ${processes} ${program}\n`;
  };
  return [
    `127.0.0.1:${port} inet n - n - - smtpd\n`,
    internal('cleanup', 'cleanup', '-', '0'),
    internal('qmgr', 'qmgr', '300', '1'),
    internal('rewrite', 'trivial-rewrite'),
    ...['bounce', 'defer', 'trace'].map((name) => internal(name, 'bounce', '-', '0')),
    internal('verify', 'verify', '-', '1'),
    internal('proxymap'),
    internal('smtp'),
    internal('error'),
    internal('retry', 'error'),
    'virtual unix - n n - - virtual\n',
    internal('anvil', 'anvil', '-', '1'),
    internal('scache', 'scache', '-', '1'),
    internal('tlsmgr', 'tlsmgr', '1000?', '1'),
    'postlog unix-dgram n - n - 1 postlogd\n',
  ].join('');
}
