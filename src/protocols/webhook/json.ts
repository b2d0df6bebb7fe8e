/**
 * JSON as receivers of webhooks know it: what could begin a tag, or end a line of a script, stands
 * as an escape, so that a body may be put into a page as it is.
 */

const ESCAPED = /[<>&\u2028\u2029]/g;

export function formatHookJson(value: object): string {
  return JSON.stringify(value).replace(
    ESCAPED,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
