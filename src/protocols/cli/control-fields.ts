/**
 * Reading what stands with a request on the control socket: each field has its kind, and none may
 * be there that nobody knows.
 *
 * Diagnostics: whatever is wrong is a ControlError that names the field.
 */

import { domainToASCII } from 'node:url';
import { parseDomain } from '#domain/values/address';
import { asRecord, ControlError, type ControlCommands } from './control.ts';

export class ControlFields {
  readonly #fields: Map<string, unknown>;

  constructor(fields: unknown) {
    this.#fields = new Map(Object.entries(asRecord(fields) ?? {}));
  }

  text(name: string): string {
    const value = this.optionalText(name);
    if (value === undefined) throw badField(`The field ${name} is missing.`);
    return value;
  }

  optionalText(name: string): string | undefined {
    const value = this.#take(name);
    if (value === undefined || typeof value === 'string') return value;
    throw badField(`The field ${name} is not a text.`);
  }

  /** In A-labels. */
  domain(name: string): string {
    return domainOf(this.text(name));
  }

  optionalDomain(name: string): string | undefined {
    const text = this.optionalText(name);
    return text === undefined ? undefined : domainOf(text);
  }

  optionalBoolean(name: string): boolean | undefined {
    const value = this.#take(name);
    if (value === undefined || typeof value === 'boolean') return value;
    throw badField(`The field ${name} is neither true nor false.`);
  }

  count(name: string): number {
    const value = this.optionalCount(name);
    if (value === undefined) throw badField(`The field ${name} is missing.`);
    return value;
  }

  optionalCount(name: string): number | undefined {
    const value = this.#take(name);
    if (value === undefined) return undefined;
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
    throw badField(`The field ${name} is not a whole number.`);
  }

  optionalCounts(name: string): readonly number[] | undefined {
    const value = this.#take(name);
    if (value === undefined) return undefined;
    const isCount = (each: unknown): each is number =>
      Number.isSafeInteger(each) && Number(each) >= 0;
    if (Array.isArray(value) && value.every(isCount)) return value;
    throw badField(`The field ${name} is not a list of whole numbers.`);
  }

  optionalTexts(name: string): readonly string[] | undefined {
    const value = this.#take(name);
    if (value === undefined) return undefined;
    if (Array.isArray(value) && value.every((each) => typeof each === 'string')) return value;
    throw badField(`The field ${name} is not a list of texts.`);
  }

  texts(name: string): readonly string[] {
    const value = this.optionalTexts(name);
    if (value === undefined) throw badField(`The field ${name} is missing.`);
    return value;
  }

  /** What the things in it are, their reader says. */
  list(name: string): readonly unknown[] {
    const value = this.#take(name);
    if (Array.isArray(value)) return value;
    throw badField(`The field ${name} is not a list.`);
  }

  /** To be called when all that is known was read. */
  end(): void {
    const [unknown] = this.#fields.keys();
    if (unknown !== undefined) throw badField(`The field ${unknown} is not known.`);
  }

  #take(name: string): unknown {
    const value = this.#fields.get(name);
    this.#fields.delete(name);
    return value;
  }
}

/** Commands by name: what each does with its fields, and with the parts that all of them have. */
export type CommandTable<Parts> = Readonly<
  Record<string, (fields: ControlFields, parts: Parts) => unknown>
>;

export function commandsOf<Parts>(table: CommandTable<Parts>, parts: Parts): ControlCommands {
  return new Map(
    Object.entries(table).map(([name, carryOut]) => [
      name,
      async (given) => carryOut(new ControlFields(given), parts),
    ]),
  );
}

/** In A-labels; no domain of ours, and of no list, is an IP address. */
export function domainOf(text: string): string {
  const domain = parseDomain(text, domainToASCII);
  if (domain !== undefined && !domain.startsWith('[')) return domain;
  throw new ControlError('BadDomain', `${text} cannot be a domain.`);
}

function badField(sentence: string): ControlError {
  return new ControlError('BadRequest', sentence);
}
