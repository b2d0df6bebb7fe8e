/**
 * Everything that can be checked without running the program: types, lint, format, dead code, the
 * house rules, and generated documents that must be fresh. Prints one line per check.
 */
import { spawnSync } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const QUIET = '--disable-warning=ExperimentalWarning';

const CHECKS: readonly (readonly [name: string, command: string, ...args: string[]])[] = [
  ['types', 'tsc', '-p', '.'],
  ['lint', 'oxlint', '--type-aware', '--deny-warnings', 'src', 'test', 'ops', 'examples'],
  ['format', 'prettier', '--check', '--log-level=warn', 'src', 'test', 'ops', 'examples'],
  ['dead code', 'knip', '--no-progress'],
  ['house', 'node', QUIET, 'ops/scripts/test.ts', 'house'],
  ['documents', 'node', QUIET, 'ops/scripts/docs.ts', '--check'],
];

let failed = 0;
for (const [name, command, ...args] of CHECKS) {
  const result = spawnSync(command, args, {
    cwd: ROOT,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  const good = result.status === 0;
  console.log(`${good ? 'ok    ' : 'FAILED'} ${name}`);
  if (good) continue;
  failed++;
  console.log(result.error?.message ?? `${result.stdout}${result.stderr}`);
}
console.log(`\n${CHECKS.length - failed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
