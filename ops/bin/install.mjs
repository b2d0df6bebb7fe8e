/**
 * Installs what is missing before `npm start` and `npm test`. Runs on any Node that npm runs on,
 * so plain JavaScript without imports of our own.
 *
 * What is installed is compared with the lock file by its hash, so that a second run costs nothing
 * and a pulled change of the lock installs again.
 */
import { createHash } from 'node:crypto';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const lock = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .digest('hex');
const stamp = join(root, 'node_modules', '.daybook-lock');
const runtime = join(
  root,
  'node_modules',
  '.bin',
  process.platform === 'win32' ? 'node.cmd' : 'node',
);

const fresh =
  existsSync(runtime) && existsSync(stamp) && readFileSync(stamp, 'utf8').trim() === lock;

if (!fresh) {
  console.error(
    'daybook: installing what is missing (node 26 and the packages of the lock file) …',
  );
  const npm = process.env.npm_execpath;
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const result = npm
    ? spawnSync(process.execPath, [npm, ...args], { cwd: root, stdio: ['ignore', 2, 2] })
    : spawnSync('npm', args, {
        cwd: root,
        stdio: ['ignore', 2, 2],
        shell: process.platform === 'win32',
      });
  if (result.status !== 0) {
    console.error('daybook: npm ci failed; its messages stand above.');
    process.exit(1);
  }
}

let version = '';
try {
  version = execFileSync(runtime, ['--version'], {
    encoding: 'utf8',
    shell: process.platform === 'win32',
  }).trim();
} catch (error) {
  console.error(`daybook: the pinned node does not run on this machine: ${error.message}`);
  process.exit(1);
}
if (Number(version.slice(1).split('.')[0]) < 26) {
  console.error(`daybook: node_modules/.bin/node is ${version}; Node 26 is needed.`);
  process.exit(1);
}
if (!fresh) writeFileSync(stamp, `${lock}\n`);
