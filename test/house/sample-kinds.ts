/**
 * What a sample of an event has to have, and what samples have in common.
 */

/** T with every optional field present, all the way down; choices stay choices. */
type Whole<T> = T extends string | number | boolean
  ? T
  : T extends readonly (infer Item)[]
    ? readonly Whole<Item>[]
    : { readonly [Key in keyof T]-?: Whole<T[Key]> };

/** A sample of each of these events. */
export type SamplesOf<Event extends { readonly type: string }> = {
  readonly [Type in Event['type']]: Whole<Extract<Event, { type: Type }>>;
};

export const BODY = '5d41402abc4b2a76b9719d911017c5925d41402abc4b2a76b9719d911017c592';
