/**
 * A reporter that tells failures in full, and what tests say about themselves; at the end, how many
 * passed, failed and were skipped, in a line that `test.ts` reads.
 */
import type { TestEvent } from 'node:test/reporters';

export default async function* countReporter(
  source: AsyncIterable<TestEvent>,
): AsyncGenerator<string> {
  let passed = 0;
  let failed = 0;
  let skipped = 0;
  for await (const event of source) {
    if (event.type === 'test:pass') {
      if (event.data.details.type === 'suite') continue;
      if (event.data.skip !== undefined && event.data.skip !== false) {
        skipped++;
        const why = event.data.skip === true ? '' : ` (${event.data.skip})`;
        yield `skipped: ${event.data.name}${why}\n`;
      } else passed++;
    } else if (event.type === 'test:diagnostic') {
      // What a test says itself, not the totals of the runner.
      if (event.data.file !== undefined) yield `${event.data.message}\n`;
    } else if (event.type === 'test:fail') {
      if (event.data.details.type === 'suite') continue;
      failed++;
      const { error } = event.data.details;
      const cause = error.cause instanceof Error ? (error.cause.stack ?? error.cause.message) : '';
      yield `\nFAILED ${event.data.file ?? ''}:${event.data.line ?? 0} ${event.data.name}\n`;
      yield `${cause === '' ? (error.stack ?? error.message) : cause}\n`;
    }
  }
  yield `daybook-tests ${passed} ${failed} ${skipped}\n`;
}
