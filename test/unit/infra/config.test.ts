/** What the configuration file may say, and how its mistakes are told. */

import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { it } from 'node:test';
import { localConfig, readConfig, writeConfig } from '#infra/config';
import { temporaryDirectory } from '../../support/temporary.ts';

it('reads what it wrote, and paths are relative to the file', async () => {
  await using directory = await temporaryDirectory();
  const file = directory.file('config/daybook.yaml');
  await writeConfig(file, localConfig('127.0.0.7'));
  const loaded = readConfig(file);
  assert.deepEqual(loaded.config, localConfig('127.0.0.7'));
  assert.equal(loaded.pathOf(loaded.config.DataDir), directory.file('data'));
});

/** A change of the file → what is said of it, behind the name of the file. */
const MISTAKES: readonly (readonly [
  what: string,
  change: (good: string) => string,
  said: string,
])[] = [
  [
    'a value that is none of those possible',
    (good) => good.replace('LogLevel: info', 'LogLevel: loud'),
    ':4:11: LogLevel: must be equal to one of the allowed values',
  ],
  [
    'a number out of range, deep inside',
    (good) => good.replace('1025', '70000'),
    ':12:13: Listeners.local.SMTP.Port: must be <= 65535',
  ],
  [
    'several keys that do not exist, and one that is missing',
    (good) => good.replace('Hostname', 'Hostnam').replace('IMAPS', 'IMAPZ'),
    [
      ':2:1: the file: must have required properties Hostname',
      ':5:10: Hostnam: is not a known key',
      ':25:7: Listeners.local.IMAPZ: is not a known key',
    ].join('\n'),
  ],
  ['a key twice', (good) => `${good}DataDir: b\n`, ':30:1: Map keys must be unique'],
  [
    'months that views still look at',
    (good) => `${good}KeepExpungedDays: 0\nKeepAuditMonths: 1\nKeepReportMonths: 2\n`,
    [':30:19: KeepExpungedDays: must be >= 1', ':31:18: KeepAuditMonths: must be >= 2'].join('\n'),
  ],
  ['nothing', () => '', ':1:1: the file: must be object'],
  ['an alias', () => 'a: &a [1]\nb: *a\n', ': aliases (*name) have no meaning here'],
];

for (const [what, change, said] of MISTAKES) {
  it(`refuses ${what}`, async () => {
    await using directory = await temporaryDirectory();
    const file = directory.file('daybook.yaml');
    await writeConfig(file, localConfig('127.0.0.1'));
    await writeFile(file, change(await readFile(file, 'utf8')));
    const message = said.split('\n').map((line) => `${file}${line}`);
    assert.throws(() => readConfig(file), { name: 'BadConfig', message: message.join('\n') });
  });
}

it('says so when there is no file, or none that can be read', async () => {
  await using directory = await temporaryDirectory();
  const file = directory.file('daybook.yaml');
  const message = `${file}: there is no such file`;
  assert.throws(() => readConfig(file), { name: 'BadConfig', message });
  await mkdir(path.join(file));
  assert.throws(() => readConfig(file), { name: 'BadConfig', message: /: not readable: .*EISDIR/ });
});
