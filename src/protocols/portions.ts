/**
 * Work on many things, so many at a time.
 */

/** What the work gives, in the order of the items; the next portion begins when one has ended. */
export async function inPortions<Item, Result>(
  items: readonly Item[],
  portion: number,
  work: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  for (let start = 0; start < items.length; start += portion) {
    results.push(...(await Promise.all(items.slice(start, start + portion).map(work))));
  }
  return results;
}
