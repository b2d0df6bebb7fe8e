/**
 * Receives webhook calls and prints a line for each: what became of mail, or that mail came in.
 *
 *     WEBHOOK_AUTHORIZATION='Bearer s3cret' node examples/webhook-receiver.ts --port 8080
 *
 * A call without the Authorization is refused; without the variable everybody may call. One that
 * comes again, because its sender did not hear the answer, is known by its number. With --status
 * every call gets that answer, to see what happens then.
 *
 * RFC 9110 §15.3.1 (200 is the only answer that ends a webhook)
 */

import { timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { parseArgs } from 'node:util';

const { values: given } = parseArgs({
  options: {
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '8080' },
    status: { type: 'string', default: '200' },
  },
});
const authorization = Buffer.from(process.env['WEBHOOK_AUTHORIZATION'] ?? '');
/** Of calls that were answered with 200. */
const done = new Set<string>();

function isAuthorized({ headers }: IncomingMessage): boolean {
  if (authorization.length === 0) return true;
  const shown = Buffer.from(headers.authorization ?? '');
  return shown.length === authorization.length && timingSafeEqual(shown, authorization);
}

/** What is used of a payload here; mail that came in has no event. */
interface Payload {
  readonly Event?: string;
  readonly QueueMsgID?: number;
  readonly Subject: string;
  readonly SMTPCode?: number;
  readonly Error?: string;
  readonly Meta?: { readonly MsgID: number; readonly RcptTo: string };
}

/** `7 #1 outgoing delivered of message 9: hello` */
function lineOf({ headers }: IncomingMessage, body: string): string {
  const { Event, QueueMsgID, Subject, SMTPCode, Error: error, Meta } = JSON.parse(body) as Payload;
  const id = String(headers['x-mox-webhook-id']);
  const call = `${id} #${String(headers['x-mox-webhook-attempt'])}`;
  const what =
    Meta === undefined
      ? `outgoing ${Event} of message ${QueueMsgID}`
      : `incoming message ${Meta.MsgID} to ${Meta.RcptTo}`;
  const why = error ? ` (${SMTPCode ? `${SMTPCode} ` : ''}${error})` : '';
  return `${call}${done.has(id) ? ' (again)' : ''} ${what}: ${Subject}${why}`;
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (!isAuthorized(request)) {
    console.log('refused: no such Authorization');
    response.writeHead(401).end();
    return;
  }
  const body = (await buffer(request)).toString();
  console.log(lineOf(request, body));
  const status = Number(given.status);
  if (status === 200) done.add(String(request.headers['x-mox-webhook-id']));
  response.writeHead(status).end();
}

const server = createServer((request, response) => {
  answer(request, response).catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    response.writeHead(400).end();
  });
});
server.listen(Number(given.port), given.host, () => {
  const { address, port } = server.address() as AddressInfo;
  console.log(`ready: http://${address}:${port}/`);
});
process.once('SIGTERM', () => {
  server.close();
  server.closeAllConnections();
});
