/**
 * A mail server of another make (npm's smtp-server) on this machine, that takes everything, or
 * fails as a test wants it to.
 */

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerOptions, type SMTPServerSession } from 'smtp-server';

export interface SunkMail {
  readonly from: string;
  readonly to: readonly string[];
  /** One character per octet. */
  readonly text: string;
  readonly isSecure: boolean;
  /** What the client called itself. */
  readonly greeted: string;
}

export interface Sink extends AsyncDisposable {
  readonly port: number;
  readonly mail: SunkMail[];
  readonly server: SMTPServer;
}

export interface SinkOptions extends SMTPServerOptions {
  readonly host?: string;
  readonly port?: number;
  /** What is answered behind a message instead of 250; called when all of it is there. */
  readonly verdict?: (mail: SunkMail, session: SMTPServerSession) => Error | undefined;
}

export async function startSink(options: SinkOptions = {}): Promise<Sink> {
  const { host = '127.0.0.1', port = 0, verdict, ...more } = options;
  const mail: SunkMail[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['AUTH', ...(more.key === undefined ? ['STARTTLS'] : [])],
    disableReverseLookup: true,
    logger: false,
    onData(stream, session, callback) {
      const pieces: Buffer[] = [];
      stream.on('data', (piece: Buffer) => pieces.push(piece));
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope;
        const taken = {
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          text: Buffer.concat(pieces).toString('latin1'),
          isSecure: session.secure,
          greeted: session.hostNameAppearsAs,
        };
        const error = verdict?.(taken, session);
        if (error === undefined) mail.push(taken);
        callback(error);
      });
    },
    ...more,
  });
  server.on('error', () => undefined);
  server.listen(port, host);
  await once(server.server, 'listening');
  return {
    port: (server.server.address() as AddressInfo).port,
    mail,
    server,
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** An answer of the server: a code and what it says. */
export function saying(responseCode: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode });
}
