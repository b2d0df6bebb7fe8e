/**
 * Mail of many words, as people write it: few are common, most are rare (Zipf), none is repeated
 * more than its rank says. The same number always gives the same message.
 */

const WORDS = 30_000;

/** Numbers from 0 up to 1 (mulberry32). */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const ONSETS = ' b bl br c ch cl cr d dr f fl fr g gl gr h j k l m n p pl pr qu r s sc sh sl sp st';
const VOWELS = 'a e i o u ai ea ee ie io oa ou';
const CODAS = ' b ck d g l ll m n nd ng nt p r rd rm rt s ss st t th v x';

/** By rank: short ones are common. */
const VOCABULARY: readonly string[] = vocabulary();

function vocabulary(): readonly string[] {
  const next = chance(1);
  const one = (from: string): string => {
    const list = from.split(' ');
    return list[Math.floor(next() * list.length)] ?? '';
  };
  const words = new Set<string>();
  while (words.size < WORDS) {
    let word = '';
    const syllables = 1 + Math.floor(next() * 2 + next() * 1.5);
    for (let i = 0; i < syllables; i++) word += one(ONSETS) + one(VOWELS) + one(CODAS);
    if (word.length > 2) words.add(word);
  }
  return [...words].sort((a, b) => a.length - b.length);
}

export const COMMON_WORD: string = wordAt(40);
export const RARE_WORD: string = wordAt(25_000);
/** Made of letters that stand together elsewhere too. */
export const ABSENT_WORD: string = `${wordAt(900)}${wordAt(7_000)}${wordAt(20)}`;

function wordAt(rank: number): string {
  return VOCABULARY[rank] ?? '';
}

/** About 4 KB. */
export function wordyMessage(i: number): string {
  const next = chance(i + 2);
  const word = (): string => wordAt(Math.floor(WORDS ** next()) - 1);
  const words = (count: number): string => Array.from({ length: count }, word).join(' ');
  const hex = (): string => Math.floor(next() * 2 ** 32).toString(16);
  let text =
    `Received: from mail.example.org ([192.0.2.${i % 250}])\r\n by localhost with ESMTPS ` +
    `id ${hex()}${hex()}; Tue, 3 Feb 2026 10:11:12 +0000\r\n` +
    `From: Sender ${i} <sender${i % 97}@example.org>\r\nTo: daybook@localhost\r\n` +
    `Subject: ${words(5)}\r\nDate: Tue, 3 Feb 2026 10:11:12 +0000\r\n` +
    `Message-ID: <${i}.${hex()}@example.org>\r\nMIME-Version: 1.0\r\n` +
    'Content-Type: text/plain; charset=utf-8\r\n\r\n';
  while (text.length < 4000) text += `${words(10)}\r\n`;
  return text;
}
