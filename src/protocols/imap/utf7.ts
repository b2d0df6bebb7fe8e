/**
 * Modified UTF-7: how mailbox names look on the wire until a client enables UTF-8.
 *
 * Invariants: what `encodeUtf7` wrote, `decodeUtf7` reads back; a name has one encoded form, and
 * every other one is refused: bad base64, characters encoded without need, a lone `&`.
 *
 * RFC 3501 §5.1.3
 */

/** The encoded form; printable ASCII stays as it is. */
export function encodeUtf7(name: string): string {
  if (!/[^\x20-\x25\x27-\x7e]/.test(name)) return name;
  return name.replace(/&|[^\x20-\x7e]+/g, (run) => (run === '&' ? '&-' : `&${shifted(run)}-`));
}

/** The name, or undefined when the text is not modified UTF-7. Control characters are let pass. */
export function decodeUtf7(text: string): string | undefined {
  if (/[^\x00-\x7f]/.test(text)) return undefined;
  if (!text.includes('&')) return text;
  let name = '';
  let at = 0;
  let shiftEnd = -1;
  for (let amp = text.indexOf('&'); amp >= 0; amp = text.indexOf('&', at)) {
    const end = text.indexOf('-', amp);
    if (end < 0) return undefined;
    name += text.slice(at, amp);
    const code = text.slice(amp + 1, end);
    if (code === '') {
      name += '&';
    } else {
      // RFC 3501 §5.1.3: two shifts in a row are one shift written without need.
      if (shiftEnd === amp) return undefined;
      const run = unshifted(code);
      if (run === undefined) return undefined;
      name += run;
      shiftEnd = end + 1;
    }
    at = end + 1;
  }
  return name + text.slice(at);
}

/** Base64 of UTF-16, with `,` for `/` and without padding. */
function shifted(run: string): string {
  const octets = Buffer.from(run, 'utf16le').swap16();
  return octets.toString('base64').replaceAll('/', ',').replace(/=+$/, '');
}

function unshifted(code: string): string | undefined {
  const octets = Buffer.from(code.replaceAll(',', '/'), 'base64');
  if (octets.length < 2 || octets.length % 2 !== 0) return undefined;
  const run = octets.swap16().toString('utf16le');
  // Printable ASCII needs no shift; half a surrogate pair is no character.
  if (/[\x20-\x7e]/.test(run) || !run.isWellFormed()) return undefined;
  // Node reads base64 generously: only the one true spelling is let through.
  return shifted(run) === code ? run : undefined;
}
