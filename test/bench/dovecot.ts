/**
 * Dovecot as a peer to measure ourselves beside: an instance of its own on a loopback address,
 * with its mail in a temporary folder. Left out, with a word why, where it is not installed.
 */

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freeLoopbackAddress } from '../support/localserve.ts';

export interface Peer extends AsyncDisposable {
  readonly name: string;
  readonly ip: string;
  readonly imapPort: number;
  readonly lmtpPort: number;
}

const IMAP_PORT = 1143;
const LMTP_PORT = 1024;
const BINARY = '/usr/sbin/dovecot';

/**
 * What is on the disk before it is answered: mail, as Dovecot comes, or all that we put there too,
 * changes of flags among them.
 */
export type DovecotSync = 'optimized' | 'always';

/** Undefined when Dovecot is not there and cannot be installed; `say` hears why. */
export async function startDovecot(
  say: (text: string) => void,
  sync: DovecotSync = 'optimized',
): Promise<Peer | undefined> {
  if (process.getuid?.() !== 0) {
    say('dovecot left out: it needs root to change to its users');
    return undefined;
  }
  if (!existsSync(BINARY) && !install(say)) return undefined;
  const dir = await mkdtemp(join(tmpdir(), 'daybook-dovecot-'));
  await chmod(dir, 0o755);
  await mkdir(join(dir, 'home'), { mode: 0o777 });
  await chmod(join(dir, 'home'), 0o777);
  const ip = freeLoopbackAddress();
  await writeFile(join(dir, 'dovecot.conf'), configuration(dir, ip, sync));
  const child = spawn(BINARY, ['-F', '-c', join(dir, 'dovecot.conf')], { stdio: 'ignore' });
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
  });
  const close = async (): Promise<void> => {
    child.kill('SIGTERM');
    await exited;
    await rm(dir, { recursive: true, force: true });
  };
  if (!(await accepts(ip, IMAP_PORT)) || !(await accepts(ip, LMTP_PORT))) {
    const log = existsSync(join(dir, 'log')) ? await readFile(join(dir, 'log'), 'utf8') : '';
    say(`dovecot left out: it did not start\n${log.slice(-2000)}`);
    await close();
    return undefined;
  }
  const name = execFileSync(BINARY, ['--version'], { encoding: 'utf8' }).split(' ')[0] ?? '';
  return {
    name: sync === 'always' ? `dovecot ${name}, syncing` : `dovecot ${name}`,
    ip,
    imapPort: IMAP_PORT,
    lmtpPort: LMTP_PORT,
    [Symbol.asyncDispose]: close,
  };
}

function install(say: (text: string) => void): boolean {
  say('installing dovecot to compare with');
  const result = spawnSync(
    'apt-get',
    ['install', '-y', '-qq', '--no-install-recommends', 'dovecot-imapd', 'dovecot-lmtpd'],
    { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }, stdio: 'ignore' },
  );
  if (result.status === 0 && existsSync(BINARY)) return true;
  say('dovecot left out: it could not be installed');
  return false;
}

function configuration(dir: string, ip: string, sync: DovecotSync): string {
  return `
protocols = imap lmtp
listen = ${ip}
base_dir = ${dir}/run
state_dir = ${dir}/state
log_path = ${dir}/log
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain
mail_location = sdbox:~/mail
mail_fsync = ${sync}
first_valid_uid = 1
mail_max_userip_connections = 2000
mail_debug = no
passdb {
  driver = static
  args = password=daybookdaybook
}
userdb {
  driver = static
  args = uid=mail gid=mail home=${dir}/home/%u
}
service imap-login {
  inet_listener imap {
    port = ${IMAP_PORT}
  }
  inet_listener imaps {
    port = 0
  }
  client_limit = 3000
}
service imap {
  process_limit = 2000
  client_limit = 1
}
service lmtp {
  unix_listener lmtp {
    mode = 0600
  }
  inet_listener lmtp {
    port = ${LMTP_PORT}
  }
}
namespace inbox {
  inbox = yes
}
`;
}

async function accepts(host: string, port: number): Promise<boolean> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, host);
      socket.once('connect', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => resolve(false));
    });
    if (open) return true;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return false;
}
