/**
 * What FETCH answers hold, as plain values, so that the answers of two servers can be compared:
 * quoted strings and literals are the same, and so are the kinds of literals.
 */

import assert from 'node:assert/strict';

/** Strings as latin1, NIL as null, atoms that are no numbers with a `\` in front. */
export type Value = string | number | null | readonly Value[];

/** The items of one message by the names that the server gives them. */
export type Items = ReadonlyMap<string, Value>;

/** The items of each message that an answer tells of, by sequence number. */
export function fetchedItems(answer: Buffer): ReadonlyMap<number, Items> {
  const cursor: Cursor = { text: answer.toString('latin1'), at: 0 };
  const messages = new Map<number, Items>();
  while (cursor.at < cursor.text.length) {
    const start = /^\* (\d+) FETCH /.exec(cursor.text.slice(cursor.at, cursor.at + 30));
    if (start === null) {
      cursor.at = cursor.text.indexOf('\r\n', cursor.at) + 2;
      assert.ok(cursor.at > 1);
    } else {
      cursor.at += start[0].length;
      messages.set(Number(start[1]), itemsAt(cursor));
      expect(cursor, '\r\n');
    }
  }
  return messages;
}

interface Cursor {
  readonly text: string;
  at: number;
}

function itemsAt(cursor: Cursor): Items {
  const items = new Map<string, Value>();
  expect(cursor, '(');
  while (cursor.text[cursor.at] !== ')') {
    const name = /[^ []+(?:\[[^\]]*\](?:<\d+>)?)?/y;
    name.lastIndex = cursor.at;
    const found = name.exec(cursor.text)?.[0] ?? assert.fail(here(cursor));
    cursor.at += found.length;
    expect(cursor, ' ');
    items.set(found, valueAt(cursor));
    if (cursor.text[cursor.at] === ' ') cursor.at++;
  }
  cursor.at++;
  return items;
}

function valueAt(cursor: Cursor): Value {
  const { text } = cursor;
  const char = text[cursor.at];
  if (char === '(') return listAt(cursor);
  if (char === '"') return quotedAt(cursor);
  if (char === '{' || char === '~') return literalAt(cursor);
  const atom = /[^ ()\r\n]+/y;
  atom.lastIndex = cursor.at;
  const found = atom.exec(text)?.[0] ?? assert.fail(here(cursor));
  cursor.at += found.length;
  if (found === 'NIL') return null;
  return /^\d+$/.test(found) ? Number(found) : `\\${found}`;
}

function listAt(cursor: Cursor): Value {
  const list: Value[] = [];
  for (cursor.at++; cursor.text[cursor.at] !== ')';) {
    if (cursor.text[cursor.at] === ' ') cursor.at++;
    else list.push(valueAt(cursor));
  }
  cursor.at++;
  return list;
}

function quotedAt(cursor: Cursor): string {
  const quoted = /"((?:[^"\\\r\n]|\\["\\])*)"/y;
  quoted.lastIndex = cursor.at;
  const found = quoted.exec(cursor.text) ?? assert.fail(here(cursor));
  cursor.at += found[0].length;
  return (found[1] ?? '').replace(/\\(.)/g, '$1');
}

function literalAt(cursor: Cursor): string {
  const mark = /~?\{(\d+)\}\r\n/y;
  mark.lastIndex = cursor.at;
  const found = mark.exec(cursor.text) ?? assert.fail(here(cursor));
  const start = cursor.at + found[0].length;
  cursor.at = start + Number(found[1]);
  assert.ok(cursor.at <= cursor.text.length);
  return cursor.text.slice(start, cursor.at);
}

function expect(cursor: Cursor, text: string): void {
  if (!cursor.text.startsWith(text, cursor.at)) assert.fail(`no ${text} at ${here(cursor)}`);
  cursor.at += text.length;
}

function here(cursor: Cursor): string {
  return JSON.stringify(cursor.text.slice(cursor.at, cursor.at + 60));
}

/** All parts of a BODY or BODYSTRUCTURE by their numbers, from the outside in. RFC 9051 §6.4.5.1 */
export function partsByNumber(structure: Value): ReadonlyMap<string, Value> {
  const parts = new Map<string, Value>();
  addParts(parts, structure, '');
  return parts;
}

function addParts(parts: Map<string, Value>, container: Value, prefix: string): void {
  const children = multipartChildren(container);
  for (const [i, child] of (children.length > 0 ? children : [container]).entries()) {
    const path = `${prefix}${i + 1}`;
    parts.set(path, child);
    const inner = multipartChildren(child).length > 0 ? child : messageInside(child);
    if (inner !== undefined) addParts(parts, inner, `${path}.`);
  }
}

/** RFC 9051 §9 body-type-msg: an attached message has its structure behind its envelope. */
function messageInside(part: Value): Value | undefined {
  return isList(part) && isList(part[7]) && isList(part[8]) ? part[8] : undefined;
}

/** RFC 9051 §9 body-type-mpart: the parts stand in front of everything else. */
function multipartChildren(part: Value): readonly Value[] {
  if (!isList(part)) return [];
  const behind = part.findIndex((value) => !isList(value));
  return behind < 0 ? part : part.slice(0, behind);
}

function isList(value: Value | undefined): value is readonly Value[] {
  return Array.isArray(value);
}
