/**
 * IMAP commands for tests of the grammar: from text to the parser that stands behind the verb.
 */

import assert from 'node:assert/strict';
import type { Command, LiteralMark } from '#protocols/imap/reader';
import { BadSyntax, Parser, type ParserModes } from '#protocols/imap/parser';

export const REV2: ParserModes = { utf8: true };

/** A command of lines (even places, one character per octet) and literals (odd places). */
export function commandOf(...pieces: readonly string[]): Command {
  return {
    lines: pieces.filter((_, i) => i % 2 === 0),
    literals: pieces
      .filter((_, i) => i % 2 === 1)
      .map((text) => ({ octets: Buffer.from(text, 'utf8'), binary: false })),
    open: undefined,
  };
}

/** The command up to a literal that is still to be read. */
export function openCommandOf(line: string, mark: Partial<LiteralMark> = {}): Command {
  const open = { bytes: 1, synchronizing: false, binary: false, ...mark };
  return { lines: [line], literals: [], open };
}

/** A parser that has read `a VERB`. */
export function behindVerb(command: Command, modes?: ParserModes): Parser {
  const p = new Parser(command, modes);
  p.tag();
  p.space();
  p.verb();
  return p;
}

/** What a grammar makes of a line, given without its tag. */
export function wordsOf<Words>(
  grammar: (p: Parser) => Words,
  line: string,
  modes?: ParserModes,
): Words {
  return grammar(behindVerb(commandOf(`a ${line}`), modes));
}

/** The grammar refuses the line with BadSyntax and nothing else. */
export function isBad<Words>(
  grammar: (p: Parser) => Words,
  line: string,
  modes?: ParserModes,
): void {
  assert.throws(() => wordsOf(grammar, line, modes), BadSyntax, `accepted: ${line}`);
}
