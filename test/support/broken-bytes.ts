/**
 * Bytes that were right once: pieces of them cut out, doubled, or put in.
 */

import fc from 'fast-check';

/** One of the texts, changed at `editsMin` to 4 places; `nasty` is what may come in. */
export function brokenBytes(
  texts: readonly string[],
  nasty: readonly Buffer[],
  editsMin = 0,
): fc.Arbitrary<Buffer> {
  const edit = fc.tuple(fc.nat(), fc.nat(12), fc.nat(2), fc.constantFrom(...nasty));
  return fc
    .tuple(fc.constantFrom(...texts), fc.array(edit, { minLength: editsMin, maxLength: 4 }))
    .map(([text, edits]) => {
      let bytes = Buffer.from(text, 'latin1');
      for (const [place, length, kind, piece] of edits) {
        const at = place % (bytes.length + 1);
        const old = bytes.subarray(at, at + length);
        const middle = kind === 0 ? [] : kind === 1 ? [old, old] : [piece, old];
        bytes = Buffer.concat([bytes.subarray(0, at), ...middle, bytes.subarray(at + length)]);
      }
      return bytes;
    });
}
