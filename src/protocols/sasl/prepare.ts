/**
 * Brings logins and passwords into the one form that is hashed and compared.
 *
 * Passwords follow the OpaqueString profile: RFC 8265 §4.2 over the FreeformClass of RFC 8264 §4.3.
 * not RFC 8264 appendix A.1 in one point: ZERO WIDTH NON-JOINER is taken between two letters of a
 * script that joins, because the joining types of letters are not within reach of expressions.
 */

import { Buffer } from 'node:buffer';

const LOGIN_BYTES_MAX = 320 * 4;
const PASSWORD_BYTES_MAX = 1024;

/**
 * RFC 8264 §8, in its order: exceptions and ASCII7, then what is disallowed (unassigned, old
 * Hangul jamo, ignorable, controls, private use), then what the FreeformClass takes.
 */
const EXCEPTIONS_TAKEN = /^[\u00df\u03c2\u06fd\u06fe\u0f0b\u3007]$/u;
const EXCEPTIONS_REFUSED = /^[\u0640\u07fa\u302e\u302f\u3031-\u3035\u303b]$/u;
const ASCII = /^[\u0020-\u007e]*$/;
const OLD_HANGUL = /^[\u1100-\u11ff\ua960-\ua97c\ud7b0-\ud7fb]$/u;
const IGNORABLE = /^[\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}]$/u;
const TAKEN = /^[\p{L}\p{M}\p{N}\p{Zs}\p{S}\p{P}]$/u;
const NEEDS_CONTEXT =
  /^(?:\u200c|\u200d|[\u00b7\u0375\u05f3\u05f4\u30fb\u0660-\u0669\u06f0-\u06f9])$/u;
/** Letters with the canonical combining class of a virama. */
const VIRAMA = new RegExp(
  '[\\u094d\\u09cd\\u0a4d\\u0acd\\u0b4d\\u0bcd\\u0c4d\\u0ccd\\u0d3b\\u0d3c\\u0d4d\\u0dca\\u0e3a' +
    '\\u0eba\\u0f84\\u1039\\u103a\\u1714\\u1715\\u1734\\u17d2\\u1a60\\u1b44\\u1baa\\u1bab\\u1bf2' +
    '\\u1bf3\\u2d7f\\ua806\\ua82c\\ua8c4\\ua953\\ua9c0\\uaaf6\\uabed]$',
);
const JOINING = String.raw`[\p{sc=Arab}\p{sc=Syrc}\p{sc=Mong}\p{sc=Nkoo}\p{sc=Mand}\p{sc=Phag}]`;
const BEFORE_JOINED = new RegExp(`${JOINING}\\p{M}*$`, 'u');
const AFTER_JOINED = new RegExp(`^\\p{M}*${JOINING}`, 'u');

/** The password as it is hashed; undefined for one that nobody can have. */
export function preparePassword(password: string): string | undefined {
  if (password === '' || Buffer.byteLength(password) > PASSWORD_BYTES_MAX) return undefined;
  if (ASCII.test(password)) return password;
  // RFC 8265 §4.2.1 steps 2 and 4: other spaces become the ASCII one, then form C.
  const mapped = password.replace(/\p{Zs}/gu, ' ').normalize('NFC');
  return isFreeform(mapped) ? mapped : undefined;
}

/** The login in form C; undefined for what cannot be one. */
export function prepareLogin(login: string): string | undefined {
  if (login === '' || Buffer.byteLength(login) > LOGIN_BYTES_MAX) return undefined;
  if (/[\p{Cc}\p{Cs}]/u.test(login)) return undefined;
  return login.normalize('NFC');
}

function isFreeform(text: string): boolean {
  let before = '';
  let rest = text;
  for (const letter of text) {
    rest = rest.slice(letter.length);
    const taken = NEEDS_CONTEXT.test(letter)
      ? fitsContext(letter, before, rest, text)
      : isFreeformLetter(letter);
    if (!taken) return false;
    before += letter;
  }
  return true;
}

function isFreeformLetter(letter: string): boolean {
  if (EXCEPTIONS_TAKEN.test(letter)) return true;
  if (EXCEPTIONS_REFUSED.test(letter)) return false;
  if (OLD_HANGUL.test(letter) || IGNORABLE.test(letter)) return false;
  return TAKEN.test(letter);
}

/** RFC 8264 §8 (F) CONTEXTO and (H) CONTEXTJ: the rules of RFC 5892 appendix A. */
function fitsContext(letter: string, before: string, after: string, text: string): boolean {
  switch (letter) {
    case '\u200c':
      return VIRAMA.test(before) || (BEFORE_JOINED.test(before) && AFTER_JOINED.test(after));
    case '\u200d':
      return VIRAMA.test(before);
    case '\u00b7':
      return before.endsWith('l') && after.startsWith('l');
    case '\u0375':
      return /^\p{sc=Grek}/u.test(after);
    case '\u05f3':
    case '\u05f4':
      return /\p{sc=Hebr}$/u.test(before);
    case '\u30fb':
      return /[\p{sc=Hira}\p{sc=Kana}\p{sc=Hani}]/u.test(text);
    default:
      // Digits of two Arabic kinds look alike: not both in one text.
      return !(/[\u0660-\u0669]/.test(text) && /[\u06f0-\u06f9]/.test(text));
  }
}
