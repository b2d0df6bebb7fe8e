/**
 * Sizes: files of 400 lines, functions of 70, lines of 100 columns at most.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assertNone, CODE, SCRIPTS, SRC } from './sources.ts';

const FILE_LINES_MAX = 400;
const FUNCTION_LINES_MAX = 70;
const COLUMNS_MAX = 100;

/** Opens a body: a function, a method or accessor, an arrow with braces. */
const MODIFIERS = /(?:(?:export|async|static|override|get|set) )*/.source;
const NAMED = /(?:function\b.*|[#*]?\w+(?:<.*>)?\(.*\).*)\{/.source;
const OPENS = new RegExp(`^(\\s*)(?:${MODIFIERS}${NAMED}|\\).*\\{|.*=> \\{)$`);
const STATEMENT = /^\s*(?:if|for|while|switch|catch|do|else|return|await|throw)\b/;

interface Body {
  /** Counted from 1. */
  readonly line: number;
  readonly lines: number;
}

/** Bodies of functions by their indentation: prettier closes each where it opened it. */
function bodiesOf(lines: readonly string[]): readonly Body[] {
  return lines.flatMap((line, i) => {
    const indent = STATEMENT.test(line) ? undefined : OPENS.exec(line)?.[1];
    if (indent === undefined) return [];
    const rest = lines.slice(i + 1);
    const end = rest.findIndex((next) => next.startsWith(`${indent}}`));
    return end < 0 ? [] : [{ line: i + 1, lines: end + 2 }];
  });
}

describe('sizes', () => {
  it('of files leave them one subject', () => {
    const long = CODE.filter(({ lines }) => lines.length - 1 > FILE_LINES_MAX);
    assertNone(
      long.map(({ path, lines }) => `${path}: ${lines.length - 1} lines`),
      `more than ${FILE_LINES_MAX} lines`,
    );
  });

  it('of functions fit on a screen', () => {
    const long = [...SRC, ...SCRIPTS].flatMap(({ path, lines }) =>
      bodiesOf(lines)
        .filter((body) => body.lines > FUNCTION_LINES_MAX)
        .map((body) => `${path}:${body.line}: ${body.lines} lines`),
    );
    assertNone(long, `functions of more than ${FUNCTION_LINES_MAX} lines`);
  });

  it('of lines fit into a window', () => {
    const wide = CODE.flatMap(({ path, lines }) =>
      lines.flatMap((line, i) => (line.length > COLUMNS_MAX ? [`${path}:${i + 1}`] : [])),
    );
    assertNone(wide, `more than ${COLUMNS_MAX} columns`);
  });

  it('are counted right', () => {
    const text = [
      'function a(): void {',
      '  if (b) {',
      '  }',
      '}',
      'class C {',
      '  async #d(',
      '    e: number,',
      '  ): Promise<void> {',
      '    f((g) => {',
      '    });',
      '  }',
      '}',
    ];
    assert.deepEqual(bodiesOf(text), [
      { line: 1, lines: 4 },
      { line: 8, lines: 4 },
      { line: 9, lines: 2 },
    ]);
  });
});
