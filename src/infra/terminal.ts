/**
 * Asking a person at the terminal for a secret: nothing of it is shown.
 *
 * Diagnostics: what is given up by ^C or ^D is an Error with one sentence.
 */

import type { ReadStream } from 'node:tty';

const LETTERS_MAX = 1024;
const ENTER = /[\r\n]/;
const GIVE_UP = /[\u0003\u0004]/;
const ERASE = /[\u0008\u007f]/;

/** Prints the prompt by `show`, and reads a line that is not echoed. */
export async function askSecret(
  terminal: ReadStream,
  prompt: string,
  show: (text: string) => void,
): Promise<string> {
  show(prompt);
  terminal.setRawMode(true);
  terminal.setEncoding('utf8');
  try {
    const letters: string[] = [];
    for await (const typed of terminal.iterator({ destroyOnReturn: false })) {
      for (const letter of String(typed)) {
        if (GIVE_UP.test(letter)) throw new Error('The question was not answered.');
        if (ENTER.test(letter)) return letters.join('');
        if (ERASE.test(letter)) letters.pop();
        else if (letters.push(letter) > LETTERS_MAX) throw new Error('The answer is too long.');
      }
    }
    throw new Error('The question was not answered.');
  } finally {
    terminal.setRawMode(false);
    terminal.pause();
    show('\n');
  }
}
