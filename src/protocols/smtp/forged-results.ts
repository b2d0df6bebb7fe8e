/**
 * Authentication-Results fields that claim to be ours: whoever reads a message believes ours, so
 * nobody else may write them.
 *
 * RFC 8601 §5 (removing existing fields)
 */

import { fieldValue, type Field, type Header } from '../message/header.ts';

/** RFC 8601 §2.2: comments may stand in front of the name of the server, and quotes around it. */
const SERVER_NAME = /^(?:\([^()]*\)\s*)*"?([^\s;"()]+)/;

/** True for a field that tells results as if this server had found them. */
export function isForgedResult(header: Header, field: Field, hostName: string): boolean {
  if (field.name !== 'authentication-results') return false;
  const [, name = ''] = SERVER_NAME.exec(fieldValue(header, field)) ?? [];
  return name.toLowerCase() === hostName.toLowerCase();
}
