/**
 * Reads, checks and writes the static configuration file.
 *
 * Diagnostics: every mistake is told with its line and column, all of them at once; a file with a
 * mistake is refused whole.
 */

import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { Compile } from 'typebox/schema';
import { isNode, LineCounter, parseDocument, stringify, type Document } from 'yaml';
import { STATIC_CONFIG_SCHEMA, type StaticConfig } from './config-schema.ts';
import { codeOf, replaceFile } from './files.ts';

/** The file cannot be used; `message` has one line per mistake. */
export class BadConfig extends Error {
  override readonly name = 'BadConfig';
}

export interface LoadedConfig {
  readonly path: string;
  readonly config: StaticConfig;
  /** Makes a path of the file absolute. */
  readonly pathOf: (relative: string) => string;
}

/** Throws BadConfig when the file is missing, unreadable or wrong. */
export function readConfig(path: string): LoadedConfig {
  const config = readChecked(path, schema, isStaticConfig);
  return { path, config, pathOf: (relative) => resolve(dirname(path), relative) };
}

/** What a schema finds wrong; Compile of typebox makes them. */
export interface CompiledSchema {
  Errors(value: unknown): readonly [
    boolean,
    readonly {
      readonly keyword: string;
      readonly instancePath: string;
      readonly message: string;
      readonly params: object;
    }[],
  ];
}

/** A YAML file as its schema says; throws BadConfig when it is missing, unreadable or wrong. */
export function readChecked<T>(
  path: string,
  schema: CompiledSchema,
  isRight: (value: unknown) => value is T,
): T {
  const lines = new LineCounter();
  const document = parseDocument(textOf(path), { lineCounter: lines, prettyErrors: false });
  const mistakes = document.errors.map(({ message, pos }) => {
    const at = lines.linePos(pos[0]);
    return `${path}:${at.line}:${at.col}: ${message}`;
  });
  if (mistakes.length > 0) throw new BadConfig(mistakes.join('\n'));
  const value = valueOf(document, path);
  if (isRight(value)) return value;
  const found = mistakesIn(value, schema, { document, lines, path });
  throw new BadConfig(found.join('\n'));
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const isMissing = codeOf(cause) === 'ENOENT';
    const why = isMissing ? 'there is no such file' : `not readable: ${String(cause)}`;
    throw new BadConfig(`${path}: ${why}`, { cause });
  }
}

function valueOf(document: Document, path: string): unknown {
  try {
    // An alias could repeat itself without end.
    return document.toJS({ maxAliasCount: 0 });
  } catch (cause) {
    throw new BadConfig(`${path}: aliases (*name) have no meaning here`, { cause });
  }
}

/**
 * The data directory alone: enough to reach the running server, whatever else is wrong with the
 * file. Throws BadConfig without it.
 */
export function readDataDir(path: string): string {
  const dataDir: unknown = parseDocument(textOf(path)).get('DataDir');
  if (typeof dataDir === 'string') return resolve(dirname(path), dataDir);
  throw new BadConfig(`${path}: the file does not say where the data is (DataDir)`);
}

const schema = Compile(STATIC_CONFIG_SCHEMA);

function isStaticConfig(value: unknown): value is StaticConfig {
  return schema.Check(value);
}

interface ReadFile {
  readonly document: Document;
  readonly lines: LineCounter;
  readonly path: string;
}

function mistakesIn(
  value: unknown,
  schema: CompiledSchema,
  { document, lines, path }: ReadFile,
): readonly string[] {
  const [, errors] = schema.Errors(value);
  return errors
    .filter((error) => error.keyword !== 'boolean')
    .flatMap((error) => {
      const keys = error.instancePath.split('/').slice(1);
      const unknown: unknown = Reflect.get(error.params, 'additionalProperties');
      return Array.isArray(unknown)
        ? unknown.map((key) => ({ keys: [...keys, String(key)], what: 'is not a known key' }))
        : [{ keys, what: error.message }];
    })
    .map(({ keys, what }) => {
      const node = keys.length === 0 ? document.contents : document.getIn(keys, true);
      const at = lines.linePos(isNode(node) ? (node.range?.[0] ?? 0) : 0);
      return `${path}:${at.line}:${at.col}: ${keys.join('.') || 'the file'}: ${what}`;
    });
}

/** Writes a new file, durably. */
export async function writeConfig(path: string, config: StaticConfig): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const head = '# Static configuration of Daybook; paths are relative to this file.\n';
  await replaceFile(path, head + stringify(config), 0o640);
}

/** What localserve writes: everything on loopback, standard ports + 1000, login without TLS. */
export function localConfig(ip: string): StaticConfig {
  return {
    DataDir: '../data',
    SecretsKeyFile: 'secrets.key',
    LogLevel: 'info',
    Hostname: 'localhost',
    Listeners: {
      local: {
        IPs: [ip],
        SMTP: { Enabled: true, Port: 1025 },
        Submission: { Enabled: true, Port: 1587, NoRequireSTARTTLS: true },
        Submissions: { Enabled: true, Port: 1465 },
        IMAP: { Enabled: true, Port: 1143, NoRequireSTARTTLS: true },
        IMAPS: { Enabled: true, Port: 1993 },
        MetricsHTTP: { Enabled: true, Port: 1081 },
      },
    },
  };
}
