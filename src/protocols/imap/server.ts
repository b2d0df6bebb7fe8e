/**
 * The IMAP server: conversations on wires that somebody else listens for.
 */

import type { Wire } from '../ports.ts';
import { Connection } from './connection.ts';
import { NewsDesk } from './notify.ts';
import { Previews } from './previews.ts';
import { Structures } from './structures.ts';
import type { ImapOptions, ImapPorts } from './session.ts';

/** How long commands that are being carried out may take when the server stops. */
const CLOSE_MS = 3000;

export interface ImapServer {
  /** Begins a conversation. */
  accept(wire: Wire): void;
  /** Says BYE to everybody; resolves when all have gone. */
  close(): Promise<void>;
}

export function startImapServer(ports: ImapPorts, options: ImapOptions): ImapServer {
  const shared = {
    desk: new NewsDesk(ports.changes),
    previews: new Previews(ports.bodies),
    structures: new Structures(),
  };
  const conversations = new Map<Connection, Promise<void>>();
  let isClosing = false;

  return {
    accept(wire) {
      if (isClosing) return wire.destroy();
      const connection = new Connection(wire, ports, options, shared);
      const conversation = connection.run().finally(() => conversations.delete(connection));
      conversations.set(connection, conversation);
    },

    async close() {
      isClosing = true;
      for (const connection of conversations.keys()) {
        connection.interrupt('the server is shutting down');
      }
      const cancel = ports.clock.after(CLOSE_MS, () => {
        for (const connection of conversations.keys()) connection.destroy();
      });
      await Promise.all(conversations.values());
      cancel();
    },
  };
}
