/**
 * Edits of flags, made ready for many messages.
 */

import { editedKeywords, flagSetOf, type FlagEdit } from '#domain/values/flags';

/** The bits after an edit are `(bits & keep) | put`. */
export interface FlagTerms {
  readonly keep: number;
  readonly put: number;
  /** False when the edit forgets the keywords that were there. */
  readonly keepsKeywords: boolean;
  readonly addKeywords: string;
  readonly removeKeywords: string;
}

export const NO_EDIT: FlagEdit = { add: [], remove: [] };

export function flagTerms(edit: FlagEdit): FlagTerms {
  if ('exactly' in edit) {
    const { bits, keywords } = flagSetOf(edit.exactly);
    return {
      keep: 0,
      put: bits,
      keepsKeywords: false,
      addKeywords: keywords,
      removeKeywords: '',
    };
  }
  const add = flagSetOf(edit.add);
  const remove = flagSetOf(edit.remove);
  return {
    keep: ~remove.bits,
    put: add.bits & ~remove.bits,
    keepsKeywords: true,
    addKeywords: editedKeywords(add.keywords, '', remove.keywords),
    removeKeywords: remove.keywords,
  };
}

/** What an edit does to one flag of every message it is applied to. */
export function effectOn(terms: FlagTerms, bit: number): 'set' | 'clear' | 'none' {
  if ((terms.put & bit) !== 0) return 'set';
  return (terms.keep & bit) === 0 ? 'clear' : 'none';
}

/** True when keywords may differ after the edit. */
export function editsKeywords(terms: FlagTerms): boolean {
  return !terms.keepsKeywords || terms.addKeywords !== '' || terms.removeKeywords !== '';
}

export function bitsAfter(bits: number, terms: FlagTerms): number {
  return (bits & terms.keep) | terms.put;
}

/** Keywords in the stored form after an edit. */
export function keywordsAfter(keywords: string, terms: FlagTerms): string {
  const kept = terms.keepsKeywords ? keywords : '';
  return editedKeywords(kept, terms.addKeywords, terms.removeKeywords);
}
