/**
 * Edits of flags in the form that set-based SQL wants: two masks, and a function for keywords.
 */

import { editedKeywords, flagSetOf, type FlagEdit } from '#domain/values/flags';

/** The bits after an edit are `(bits & keep) | put`. */
export interface FlagTerms {
  readonly keep: number;
  readonly put: number;
  /** True when keywords may differ after the edit. */
  readonly editsKeywords: boolean;
  /** 0 when the edit forgets the keywords that were there, else 1. */
  readonly keepKeywords: 0 | 1;
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
      editsKeywords: true,
      keepKeywords: 0,
      addKeywords: keywords,
      removeKeywords: '',
    };
  }
  const add = flagSetOf(edit.add);
  const remove = flagSetOf(edit.remove);
  return {
    keep: ~remove.bits,
    put: add.bits & ~remove.bits,
    editsKeywords: add.keywords !== '' || remove.keywords !== '',
    keepKeywords: 1,
    addKeywords: editedKeywords(add.keywords, '', remove.keywords),
    removeKeywords: remove.keywords,
  };
}

/** What an edit does to one flag of every message it is applied to. */
export function effectOn(terms: FlagTerms, bit: number): 'set' | 'clear' | 'none' {
  if ((terms.put & bit) !== 0) return 'set';
  return (terms.keep & bit) === 0 ? 'clear' : 'none';
}

/** Keywords in the stored form after an edit. */
export function keywordsAfter(keywords: string, terms: FlagTerms): string {
  const kept = terms.keepKeywords === 1 ? keywords : '';
  return editedKeywords(kept, terms.addKeywords, terms.removeKeywords);
}

/** Functions that statements of the account database call, by name. */
export const ACCOUNT_FUNCTIONS: Readonly<
  Record<string, (keywords: string, add: string, remove: string) => string>
> = { edited_keywords: remembering(editedKeywords) };

type Edited = typeof editedKeywords;

/** Most messages of a set have the same keywords: the last answer is kept. */
function remembering(edited: Edited): Edited {
  let last: readonly [keywords: string, add: string, remove: string] = ['', '', ''];
  let answer = '';
  return (keywords, add, remove) => {
    if (keywords !== last[0] || add !== last[1] || remove !== last[2]) {
      answer = edited(keywords, add, remove);
      last = [keywords, add, remove];
    }
    return answer;
  };
}
