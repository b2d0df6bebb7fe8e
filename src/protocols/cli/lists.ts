/**
 * Lists that are fetched page by page, so that neither end holds more than a page of a long one;
 * and changes of what stands in them.
 */

import type { ChangedCount } from './control-lists.ts';
import type { RunningFlags } from './flags.ts';
import { askServer, type Tools } from './tools.ts';

const PAGE = 500;

export interface PagedFlags extends RunningFlags {
  readonly max?: number;
  /** Id of the last record that was seen, and the time in it that is sorted by. */
  readonly lastId?: number;
  readonly last?: string;
}

/** Pages one after the other; `time` names what they are sorted by. */
export async function* pagesOf<Item extends { readonly ID: number }>(
  command: string,
  fields: object,
  time: keyof Item,
  { max = 0, lastId, last, ...flags }: PagedFlags,
  tools: Tools,
): AsyncGenerator<readonly Item[]> {
  let left = max === 0 ? Infinity : max;
  let behind: object = {
    ...(lastId === undefined ? {} : { lastId }),
    ...(last === undefined ? {} : { last }),
  };
  while (left > 0) {
    const limit = Math.min(left, PAGE);
    const asked = { ...fields, ...behind, limit };
    const page = (await askServer(command, flags, tools, asked)) as readonly Item[];
    yield page;
    const end = page.at(-1);
    if (page.length < limit || end === undefined) return;
    left -= page.length;
    behind = { lastId: end.ID, last: end[time] };
  }
}

export async function printList<Item>(
  pages: AsyncIterable<readonly Item[]> | Iterable<readonly Item[]>,
  columns: string,
  rowOf: (item: Item) => readonly unknown[],
  { json }: RunningFlags,
  { terminal }: Tools,
): Promise<void> {
  let isEmpty = true;
  for await (const page of pages) {
    for (const item of page) {
      if (isEmpty && !json) terminal.out(columns);
      isEmpty = false;
      terminal.out(json ? JSON.stringify(item) : rowOf(item).join('\t'));
    }
  }
  if (isEmpty && !json) terminal.out('(none)');
}

export interface ChangingFlags extends RunningFlags {
  readonly all: boolean;
  readonly max?: number;
}

/** Changes whatever fits what is asked. */
export async function changeThose(
  command: string,
  asked: object,
  sentence: (count: number) => string,
  flags: ChangingFlags,
  tools: Tools,
): Promise<void> {
  const { all, max } = flags;
  const limit = max === undefined ? {} : { limit: max };
  const fields = { ...asked, ...limit, all };
  const changed = (await askServer(command, flags, tools, fields)) as ChangedCount;
  tools.terminal.out(flags.json ? JSON.stringify(changed) : sentence(changed.affected));
}

/** What the last attempt met. */
export function lastErrorOf({
  Results,
}: {
  readonly Results: readonly { readonly Error: string }[];
}): string {
  return inOneLine(Results.at(-1)?.Error ?? '');
}

/** Whatever others wrote. */
export function inOneLine(text: string): string {
  return text.replace(/[\p{Cc}\s]+/gu, ' ');
}
