/**
 * Who may import whom: rooms, packages as guests of one room, doors between rooms, no cycles.
 */

import { posix } from 'node:path';
import { describe, it } from 'node:test';
import { assertNone, CODE, SRC, TESTS, type Import, type Source } from './sources.ts';

type Room = 'domain' | 'projections' | 'protocols' | 'infra' | 'root';

/** Rooms that a room may import as values; `types` where only types may cross. */
const ROOMS: Record<Room, Partial<Record<Room, 'values' | 'types'>>> = {
  domain: {},
  projections: { domain: 'values' },
  protocols: { domain: 'values', projections: 'types' },
  infra: { domain: 'values', projections: 'values', protocols: 'types' },
  root: {
    domain: 'values',
    projections: 'values',
    protocols: 'values',
    infra: 'values',
    root: 'values',
  },
};

/** What infra may know of protocols: the ports. */
const PORTS = /^src\/protocols\/ports(-[a-z]+)?\.ts$/;

/** Modules of Node that a room may import; `any` for all. */
const NODE_MODULES: Record<Room, 'any' | readonly string[]> = {
  domain: [],
  projections: [],
  protocols: ['buffer', 'crypto', 'stream', 'url', 'util', 'zlib'],
  infra: 'any',
  root: 'any',
};

/** Where each package is a guest; adding one needs a line in docs/adr/0011. */
const GUESTS: Readonly<Record<string, RegExp>> = {
  '@peculiar/x509': /^src\/infra\/certificates\.ts$/,
  'better-sqlite3': /^src\/infra\/(event-log-sqlite[a-z-]*|read-models|data-lock)\.ts$/,
  commander: /^src\/protocols\/cli\//,
  'dns-packet': /^src\/infra\/dns-wire\.ts$/,
  kysely: /^src\/(projections\/|infra\/read-models\.ts$)/,
  libmime: /^src\/protocols\/message\//,
  pino: /^src\/infra\/log\.ts$/,
  'reflect-metadata': /^src\/infra\/certificates\.ts$/,
  'prom-client': /^src\/infra\/metrics\.ts$/,
  rxjs: /^src\/(protocols|infra)\//,
  'smtp-server': /^src\/protocols\/smtp\//,
  socks: /^src\/infra\/socks\.ts$/,
  typebox: /^src\/infra\/(backup-manifest|config[a-z-]*)\.ts$/,
  yaml: /^src\/infra\/config[a-z-]*\.ts$/,
};

function roomOf(path: string): Room {
  const room = /^src\/(domain|projections|protocols|infra)\//.exec(path)?.[1];
  return (room as Room | undefined) ?? 'root';
}

/** The file that a specifier leads to, or undefined for packages and modules of Node. */
function targetOf(from: Source, { specifier }: Import): string | undefined {
  if (specifier.startsWith('#')) return `src/${specifier.slice(1)}.ts`;
  if (!specifier.startsWith('.')) return undefined;
  return posix.join(posix.dirname(from.path), specifier);
}

function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

function crossing(from: Source, one: Import): string | undefined {
  const target = targetOf(from, one);
  const room = roomOf(from.path);
  if (target === undefined) {
    const { specifier } = one;
    if (specifier.startsWith('node:')) {
      const allowed = NODE_MODULES[room];
      const name = specifier.slice('node:'.length).split('/')[0] ?? '';
      return allowed === 'any' || allowed.includes(name)
        ? undefined
        : `${room} imports ${specifier}`;
    }
    const home = GUESTS[packageOf(specifier)];
    return home?.test(from.path) === true ? undefined : `${specifier} is no guest here`;
  }
  const targetRoom = roomOf(target);
  if (targetRoom === room) return undefined;
  const allowed = ROOMS[room][targetRoom];
  if (allowed === undefined) return `${room} imports ${target}`;
  if (allowed === 'types' && !one.typeOnly) return `${room} imports more than types of ${target}`;
  if (room === 'infra' && targetRoom === 'protocols' && !PORTS.test(target)) {
    return `infra knows more than the ports: ${target}`;
  }
  return undefined;
}

function wrongDoor(from: Source, one: Import): string | undefined {
  const { specifier } = one;
  const target = targetOf(from, one);
  if (target === undefined) return undefined;
  if (specifier.startsWith('#')) {
    if (/\.[a-z]+$/.test(specifier)) return `${specifier}: a door has no extension`;
    if (from.path.startsWith('src/') && roomOf(target) === roomOf(from.path)) {
      return roomOf(target) === 'root' ? undefined : `${specifier}: inside a room, be relative`;
    }
    return undefined;
  }
  if (!specifier.endsWith('.ts')) return `${specifier}: a relative import has its extension`;
  if (target.startsWith('src/') && (roomOf(target) !== roomOf(from.path) || !inSrc(from))) {
    return `${specifier}: a wall is crossed by a door`;
  }
  if (inSrc(from) && specifier.startsWith('../../') && !from.path.includes('imap/commands/')) {
    return `${specifier}: too far to walk`;
  }
  return undefined;
}

function inSrc(source: Source): boolean {
  return source.path.startsWith('src/');
}

function findings(
  sources: readonly Source[],
  rule: (from: Source, one: Import) => string | undefined,
): string[] {
  return sources.flatMap((source) =>
    source.imports.flatMap((one) => {
      const found = rule(source, one);
      return found === undefined ? [] : [`${source.path}: ${found}`];
    }),
  );
}

/** The first import cycle that is found from each file, types included. */
function cycles(): readonly string[] {
  const graph = new Map(
    SRC.map((source) => [
      source.path,
      source.imports.flatMap((one) => targetOf(source, one) ?? []),
    ]),
  );
  const done = new Set<string>();
  const found: string[] = [];
  const walk = (path: string, trail: readonly string[]): void => {
    const at = trail.indexOf(path);
    if (at >= 0) found.push([...trail.slice(at), path].join(' → '));
    if (at >= 0 || done.has(path)) return;
    for (const next of graph.get(path) ?? []) walk(next, [...trail, path]);
    done.add(path);
  };
  for (const path of graph.keys()) walk(path, []);
  return found;
}

describe('arrows', () => {
  it('cross from room to room only where they may, and packages stay guests', () => {
    assertNone(findings(SRC, crossing), 'imports that are not allowed');
  });

  it('use doors across rooms and relative paths inside', () => {
    assertNone(findings(CODE, wrongDoor), 'imports by the wrong door');
  });

  it('lead to files that exist', () => {
    const paths = new Set(CODE.map(({ path }) => path));
    const lost = findings([...SRC, ...TESTS], (from, one) => {
      const target = targetOf(from, one);
      return target === undefined || paths.has(target) ? undefined : `no ${target}`;
    });
    assertNone(lost, 'imports of what is not there');
  });

  it('make no circle', () => {
    assertNone(cycles(), 'import cycles');
  });
});
