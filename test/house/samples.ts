/**
 * One sample of every event, with every field: the shape that is stored, for reading and for
 * freezing.
 *
 * The compiler asks for a sample of each type and for each of its fields, also the optional ones;
 * `events/` holds the same samples as they were when the type was first recorded.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BODY, type SamplesOf } from './sample-kinds.ts';
import { HOOK_TARGET, OUTGOING_SAMPLES } from './samples-outgoing.ts';
import { ROOT } from './sources.ts';
import { AUDIT_EVENTS } from '#domain/audit/events';
import { BODY_EVENTS } from '#domain/body/events';
import { CREDENTIAL_EVENTS } from '#domain/credential/events';
import { DIRECTORY_EVENTS } from '#domain/directory/events';
import type { DomainEvent } from '#domain/log/streams';
import { currentVersion, UPCASTS } from '#domain/log/upcast';
import { MAILBOX_EVENTS } from '#domain/mailbox/events';
import { MESSAGE_EVENTS, type NewMessage } from '#domain/message/events';
import { QUEUE_EVENTS } from '#domain/queue/events';
import { REPORT_EVENTS } from '#domain/report/events';
import { SUPPRESSION_EVENTS } from '#domain/suppression/events';
import { WEBHOOK_EVENTS } from '#domain/webhook/events';

export type EventType = DomainEvent['type'];

const MESSAGE: NewMessage = {
  uid: 7,
  messageId: 42,
  body: BODY,
  prefix: 'Received: from mail.example.org\r\n',
  sizeBytes: 4096,
  flags: ['\\Seen', 'work'],
  receivedAt: 1_767_225_600_000,
  zoneMinutes: 60,
};

const FINGERPRINT = 'n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg';

const TEAM = { localpart: 'team', domain: 'localhost' } as const;
const MEMBERS = { members: ['daybook@localhost'] } as const;
const ALIAS = {
  postPublic: false,
  listMembers: true,
  allowMsgFrom: true,
} as const;

export const SAMPLES: SamplesOf<DomainEvent> = {
  MailboxesCreated: {
    type: 'MailboxesCreated',
    mailboxes: [{ mailboxId: 8, name: 'Old', uidValidity: 1_767_225_607, specialUse: '\\Archive' }],
    specialUseTakenFrom: 2,
  },
  MailboxesRenamed: {
    type: 'MailboxesRenamed',
    renames: [{ mailboxId: 8, from: 'Old', to: 'Years/2025' }],
    created: [{ mailboxId: 9, name: 'Years', uidValidity: 1_767_225_608, specialUse: '\\Archive' }],
  },
  MailboxDeleted: { type: 'MailboxDeleted', mailboxId: 8, name: 'Old' },
  MailboxSubscribed: { type: 'MailboxSubscribed', name: 'Old' },
  MailboxUnsubscribed: { type: 'MailboxUnsubscribed', name: 'Old' },
  MailboxesRenumbered: {
    type: 'MailboxesRenumbered',
    uidValidityRaise: 1_048_576,
    modSeqRaise: 1_048_576,
  },
  AnnotationsSet: {
    type: 'AnnotationsSet',
    mailboxId: 8,
    entries: [{ name: '/private/vendor/example/picture', value: 'AP8=', encoding: 'base64' }],
  },
  MessageDelivered: {
    type: 'MessageDelivered',
    mailboxId: 1,
    message: MESSAGE,
    arrival: {
      mailFrom: 'sender@example.org',
      rcptTo: 'daybook@localhost',
      helo: 'mail.example.org',
      ip: '192.0.2.1',
      tls: 'TLSv1.3',
      receipt: '0123456789abcdef',
    },
  },
  MessagesAppended: { type: 'MessagesAppended', mailboxId: 3, messages: [MESSAGE] },
  MessagesCopied: {
    type: 'MessagesCopied',
    source: 1,
    uids: '1:4,9',
    target: 4,
    firstUid: 20,
    firstMessageId: 43,
    edit: { add: ['$Junk'], remove: ['$NotJunk'] },
  },
  MessagesMoved: {
    type: 'MessagesMoved',
    source: 1,
    uids: '1:4,9',
    target: 4,
    firstUid: 20,
    edit: { add: ['$Junk'], remove: ['$NotJunk'] },
  },
  FlagsChanged: {
    type: 'FlagsChanged',
    mailboxId: 1,
    uids: '1:4,9',
    edit: { exactly: ['\\Seen', 'work'] },
  },
  MessageReplaced: {
    type: 'MessageReplaced',
    mailboxId: 3,
    uid: 6,
    target: 5,
    message: MESSAGE,
  },
  MessagesExpunged: { type: 'MessagesExpunged', mailboxId: 1, uids: '1:4,9' },
  BodiesSwept: { type: 'BodiesSwept', bodies: [BODY] },
  ...OUTGOING_SAMPLES,
  PasswordSet: { type: 'PasswordSet', secret: 'password-1-0123456789abcdef' },
  LoginForbidden: { type: 'LoginForbidden', reason: 'The account has moved.' },
  LoginAllowed: { type: 'LoginAllowed' },
  TlsKeyAdded: {
    type: 'TlsKeyAdded',
    fingerprint: FINGERPRINT,
    keyType: 'ed25519',
    name: 'laptop',
    noImapPreauth: false,
    certificate: 'MIIBIjCB1aADAgECAhR3Zm9v',
    login: 'daybook@localhost',
  },
  TlsKeyChanged: {
    type: 'TlsKeyChanged',
    fingerprint: FINGERPRINT,
    name: 'old laptop',
    noImapPreauth: true,
    login: 'daybook@localhost',
  },
  TlsKeyRemoved: { type: 'TlsKeyRemoved', fingerprint: FINGERPRINT },
  DomainAdded: {
    type: 'DomainAdded',
    domain: 'localhost',
    catchallSeparator: '+',
    caseSensitive: false,
  },
  AccountAdded: { type: 'AccountAdded', accountId: 1, name: 'daybook' },
  AddressRemoved: {
    type: 'AddressRemoved',
    localpart: 'daybook',
    domain: 'localhost',
    accountId: 1,
  },
  DomainRemoved: { type: 'DomainRemoved', domain: 'localhost' },
  AccountClosed: { type: 'AccountClosed', accountId: 2 },
  AccountRemoved: { type: 'AccountRemoved', accountId: 2 },
  AccountErased: { type: 'AccountErased', accountId: 2 },
  AddressAdded: {
    type: 'AddressAdded',
    localpart: 'daybook',
    domain: 'localhost',
    accountId: 1,
  },
  AliasAdded: { type: 'AliasAdded', ...TEAM, ...MEMBERS, ...ALIAS },
  AliasMembersAdded: { type: 'AliasMembersAdded', ...TEAM, ...MEMBERS },
  AliasMembersRemoved: { type: 'AliasMembersRemoved', ...TEAM, ...MEMBERS },
  AliasChanged: { type: 'AliasChanged', ...TEAM, changes: ALIAS },
  AliasRemoved: { type: 'AliasRemoved', ...TEAM },
  TlsKeyClaimed: {
    type: 'TlsKeyClaimed',
    fingerprint: FINGERPRINT,
    accountId: 1,
    localpart: 'daybook',
    domain: 'localhost',
  },
  TlsKeyReleased: { type: 'TlsKeyReleased', fingerprint: FINGERPRINT },
  AccountSettingsChanged: {
    type: 'AccountSettingsChanged',
    accountId: 7,
    changes: {
      quotaBytes: 1_000_000,
      queueBytesMax: 500_000,
      recipientsPerDayMax: 2000,
      newRecipientsPerDayMax: 300,
      hiddenCapabilities: ['CONDSTORE'],
      keepRetiredMs: 259_200_000,
      fromIdLogins: ['daybook@localhost'],
      outgoingWebhook: { ...HOOK_TARGET, events: ['failed'] },
      incomingWebhook: HOOK_TARGET,
      keepRetiredHooksMs: 259_200_000,
    },
  },
  HoldRuleAdded: {
    type: 'HoldRuleAdded',
    rule: { ruleId: 1, accountId: 7, sender: 'localhost', recipient: 'friend@example.org' },
  },
  HoldRuleRemoved: { type: 'HoldRuleRemoved', ruleId: 1 },
  RoutesChanged: {
    type: 'RoutesChanged',
    scope: { type: 'domain', domain: 'localhost' },
    routes: [
      {
        fromDomain: ['localhost'],
        toDomain: ['.example.org'],
        minimumAttempts: 3,
        transport: 'smarthost',
      },
    ],
  },
  DeliveryPaused: { type: 'DeliveryPaused', reason: 'restored' },
  DeliveryResumed: { type: 'DeliveryResumed' },
  DomainDisabled: { type: 'DomainDisabled', domain: 'localhost' },
  DomainEnabled: { type: 'DomainEnabled', domain: 'localhost' },
  DkimKeysChanged: {
    type: 'DkimKeysChanged',
    domain: 'localhost',
    keys: [
      {
        name: 'localserve',
        algorithm: 'ed25519',
        secret: '4b3c6f0e-0000-4000-8000-000000000000',
        publicKey: '11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=',
        header: 'relaxed',
        body: 'simple',
        fields: ['From', 'Subject'],
        unsealed: true,
        lifetimeMs: 259_200_000,
        standby: true,
      },
    ],
  },
  LoginAttempted: {
    type: 'LoginAttempted',
    attempt: {
      protocol: 'imap',
      result: 'badpassword',
      accountId: 7,
      details: {
        mechanism: 'plain',
        login: 'daybook@localhost',
        remoteIp: '192.0.2.1',
        localIp: '192.0.2.143',
        tls: { version: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256' },
        fingerprint: FINGERPRINT,
        userAgent: 'Mail/1.0; os Linux',
      },
    },
    count: 3,
    firstAt: 1_767_225_600_000,
    lastAt: 1_767_225_660_000,
  },
  TlsResultRecorded: {
    type: 'TlsResultRecorded',
    day: '2026-01-01',
    recipientDomain: 'example.org',
    policyDomain: 'example.org',
    isHost: false,
    sendReport: true,
    policy: {
      type: 'sts',
      strings: ['version: STSv1', 'mode: enforce', 'mx: *.example.org', 'max_age: 86400'],
      mxHosts: ['*.example.org'],
    },
    successes: 2,
    failures: 1,
    details: [
      {
        resultType: 'certificate-host-mismatch',
        sendingIp: '192.0.2.143',
        receivingMx: 'mx.example.org',
        receivingHelo: 'mx.example.org',
        receivingIp: '192.0.2.1',
        sessions: 1,
        reasonCode: 'ERR_TLS_CERT_ALTNAME_INVALID',
      },
    ],
  },
};

/** The topics with their events, in the order of the documents. */
export const TOPICS: Readonly<Record<string, Partial<Record<EventType, string>>>> = {
  mailbox: MAILBOX_EVENTS,
  message: MESSAGE_EVENTS,
  body: BODY_EVENTS,
  queue: QUEUE_EVENTS,
  suppression: SUPPRESSION_EVENTS,
  webhook: WEBHOOK_EVENTS,
  credential: CREDENTIAL_EVENTS,
  directory: DIRECTORY_EVENTS,
  audit: AUDIT_EVENTS,
  report: REPORT_EVENTS,
};

/** An event as it stands in the log, without its envelope. */
export interface FrozenEvent {
  readonly type: string;
  readonly version: number;
  readonly data: object;
}

export const FROZEN_FOLDER: string = join(ROOT, 'test', 'house', 'events');

/** The event of today's code that belongs into `events/`. */
export function currentEvent(type: EventType): FrozenEvent {
  const { type: _, ...data } = SAMPLES[type];
  return { type, version: currentVersion(type, UPCASTS), data };
}

export function frozenFile({ type, version }: FrozenEvent): string {
  return `${type}.${version}.json`;
}

/** Every event that was ever frozen, by file name. */
export function frozenEvents(): ReadonlyMap<string, FrozenEvent> {
  const files = readdirSync(FROZEN_FOLDER).filter((file) => file.endsWith('.json'));
  return new Map(
    files.map((file) => [file, JSON.parse(readFileSync(join(FROZEN_FOLDER, file), 'utf8'))]),
  );
}
