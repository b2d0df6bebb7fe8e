/**
 * Runs the benches, all of them or those named, and puts their tables into docs/benchmarks.md.
 * Figures are ratios beside a peer on the same machine; nothing here is a test.
 */

import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { cpus, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { advantage, type Bench, type BenchRow } from '../../test/bench/row.ts';

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const wanted = process.argv.slice(2);
const files = globSync('test/bench/*.bench.ts', { cwd: ROOT }).sort();
const chosen = files.filter(
  (file) => wanted.length === 0 || wanted.includes(basename(file, '.bench.ts')),
);
if (chosen.length === 0) {
  console.error(`no bench is called ${wanted.join(', ')}`);
  process.exit(2);
}

const PAGE = join(ROOT, 'docs/benchmarks.md');
const sections = sectionsOf(existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : '');
for (const file of chosen) {
  const name = basename(file, '.bench.ts');
  console.error(`== ${name}`);
  const { run } = (await import(join(ROOT, file))) as { run: Bench };
  const rows = table(await run((text) => console.error(text)));
  sections.set(name, rows);
  console.log(`\n${name}\n${rows}`);
  writeFileSync(PAGE, page(sections));
}

/** The tables of an earlier page by the names of their benches. */
function sectionsOf(text: string): Map<string, string> {
  const parts = text.split(/^## /m).slice(1);
  return new Map(
    parts.map((part) => {
      const [name = '', ...lines] = part.trim().split('\n');
      return [name, lines.join('\n').trim()];
    }),
  );
}

function page(tables: ReadonlyMap<string, string>): string {
  const machine = `${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`;
  const head =
    '# Benchmarks\n\nWritten by `npm run bench`, or part by part by `npm run bench NAME`; ' +
    `read the ratios, not the absolutes. ${machine}, ` +
    `Node ${process.version}. A ratio above 1 says that we are better than the peer.\n`;
  const parts = [...tables].sort(([a], [b]) => (a < b ? -1 : 1));
  return head + parts.map(([name, rows]) => `\n## ${name}\n\n${rows}\n`).join('');
}

function table(rows: readonly BenchRow[]): string {
  const lines = ['| what | unit | Daybook | peer | ratio |', '|---|---|---:|---:|---:|'];
  for (const row of rows) {
    const ratio = advantage(row);
    lines.push(
      `| ${row.what} | ${row.unit} | ${figure(row.ours)} | ` +
        `${row.peer === undefined ? '–' : `${figure(row.peer.value)} (${row.peer.name})`} | ` +
        `${ratio === undefined ? '–' : figure(ratio)} |`,
    );
  }
  return lines.join('\n');
}

function figure(value: number): string {
  if (value >= 100) return String(Math.round(value));
  return value >= 10 ? value.toFixed(1) : value.toPrecision(2);
}
