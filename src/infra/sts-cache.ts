/**
 * The MTA-STS policies of other domains that are remembered, one file for each domain: no view of
 * the log, because nobody could post it again.
 *
 * Invariants: a file is replaced at once or not at all; one that cannot be understood counts as
 * missing, since losing a policy costs protection for a while and no mail.
 * Diagnostics: a full disk is the Fault DiskFull. RFC 8461 §10.2.
 */

import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import type { KeptSts, KeptStsPolicy, StsCache } from '#protocols/ports-remote';
import { codeOf, PART_SUFFIX, replaceFile } from './files.ts';

const SUFFIX = '.json';

/** Makes the directory when it is not there. */
export async function openStsCache(directory: string): Promise<StsCache> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const names = await readdir(directory);
  const halves = names.filter((name) => name.endsWith(PART_SUFFIX));
  await Promise.all(halves.map((name) => rm(path.join(directory, name), { force: true })));
  // Domains may be longer than names of files.
  const fileOf = (domain: string): string =>
    path.join(directory, createHash('sha256').update(domain).digest('hex') + SUFFIX);
  return {
    async get(domain) {
      const kept = parse(await read(fileOf(domain)));
      return kept?.domain === domain ? kept.kept : undefined;
    },
    async put(domain, kept) {
      await replaceFile(fileOf(domain), `${JSON.stringify({ domain, ...kept })}\n`);
    },
    async delete(domain) {
      await rm(fileOf(domain), { force: true });
    },
    async domains() {
      const domains: string[] = [];
      for (const name of await readdir(directory)) {
        if (!name.endsWith(SUFFIX)) continue;
        const kept = parse(await read(path.join(directory, name)));
        if (kept !== undefined) domains.push(kept.domain);
      }
      return domains.toSorted();
    },
  };
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return '';
    throw error;
  }
}

function parse(text: string): { readonly domain: string; readonly kept: KeptSts } | undefined {
  const read = parseJson(text);
  if (!isObject(read)) return undefined;
  const { domain, policy, retryAt } = read;
  if (typeof domain !== 'string') return undefined;
  const kept: KeptSts = {
    ...(isPolicy(policy) && { policy }),
    ...(typeof retryAt === 'number' && { retryAt }),
  };
  return { domain, kept };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // A damaged file counts as missing.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function isPolicy(value: unknown): value is KeptStsPolicy {
  if (!isObject(value)) return false;
  const texts = [value['recordId'], value['text']];
  const times = [value['updatedAt'], value['validUntil'], value['usedAt']];
  return (
    texts.every((one) => typeof one === 'string') && times.every((one) => typeof one === 'number')
  );
}
