/**
 * Runs a set of tests by name and prints one closing line, `N passed, N failed`.
 *
 * `fast` is what `npm test` runs: in-process, no foreign programs. The slow sets each have a name;
 * `slow` is all of them. A set runs in one process unless it says otherwise: no global state.
 */
import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

interface TestSet {
  readonly patterns: readonly string[];
  /** One process per file: for tests that start servers or kill processes. */
  readonly isolated?: boolean;
  /** Set where the environment does not say it. */
  readonly environment?: Readonly<Record<string, string>>;
}

const SETS: Readonly<Record<string, TestSet>> = {
  fast: { patterns: ['house', 'unit', 'property', 'contract', 'transcript'].map(testsIn) },
  house: { patterns: [testsIn('house')] },
  crash: { patterns: [testsIn('crash')], isolated: true },
  interop: { patterns: [testsIn('interop')], isolated: true },
  stress: { patterns: [testsIn('stress')], isolated: true },
  fuzz: { patterns: ['test/property/*hostile*.test.ts'], environment: { FUZZ_RUNS: '100000' } },
};

const SLOW = ['crash', 'interop', 'stress'];

function testsIn(folder: string): string {
  return `test/${folder}/**/*.test.ts`;
}

interface Totals {
  passed: number;
  failed: number;
  skipped: number;
}

/** Runs one set, its report on our own output, and counts. */
async function runSet(name: string, totals: Totals): Promise<void> {
  const set = SETS[name];
  if (set === undefined) throw new Error(`no test set is called ${name}`);
  const files = globSync([...set.patterns], { cwd: ROOT }).sort();
  if (files.length === 0) return;
  const args = [
    '--disable-warning=ExperimentalWarning',
    '--test',
    `--test-isolation=${set.isolated === true ? 'process' : 'none'}`,
    '--test-concurrency=1',
    `--test-reporter=${process.stdout.isTTY ? 'spec' : 'dot'}`,
    '--test-reporter-destination=stdout',
    '--test-reporter=./ops/scripts/count-reporter.ts',
    '--test-reporter-destination=stderr',
    ...files,
  ];
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'pipe'],
    env: {
      ...set.environment,
      ...process.env,
      NODE_COMPILE_CACHE: join(ROOT, 'node_modules', '.cache', 'node'),
    },
  });
  let counted = false;
  let tail = '';
  child.stderr.setEncoding('utf8');
  child.stderr.on('data', (text: string) => {
    tail += text;
    const lines = tail.split('\n');
    tail = lines.pop() ?? '';
    for (const line of lines) {
      const counts = /^daybook-tests (\d+) (\d+) (\d+)$/.exec(line);
      if (counts === null) {
        process.stderr.write(`${line}\n`);
      } else {
        counted = true;
        totals.passed += Number(counts[1]);
        totals.failed += Number(counts[2]);
        totals.skipped += Number(counts[3]);
      }
    }
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  if (!counted || (code !== 0 && totals.failed === 0)) totals.failed += 1;
}

const names = process.argv[2] === 'slow' ? SLOW : [process.argv[2] ?? 'fast'];
const totals: Totals = { passed: 0, failed: 0, skipped: 0 };
for (const name of names) await runSet(name, totals);
const skipped = totals.skipped > 0 ? `, ${totals.skipped} skipped` : '';
console.log(`\n${totals.passed} passed, ${totals.failed} failed${skipped}`);
process.exitCode = totals.failed > 0 ? 1 : 0;
