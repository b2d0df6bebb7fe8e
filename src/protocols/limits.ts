/**
 * Every limit of every protocol: name, value with its unit, and why it is there.
 */

/** RFC 7162 §4 asks for 8192 octets at least; QRESYNC clients send long UID sets. */
export const IMAP_LINE_BYTES_MAX: number = 16 * 1024;
/** Literals of commands other than APPEND: each, together, and how many in one command. */
export const IMAP_LITERAL_BYTES_MAX: number = 100 * 1024;
export const IMAP_LITERALS_BYTES_MAX: number = 1024 * 1024;
export const IMAP_LITERALS_MAX = 1000;
/** How deep parentheses of a command may nest. */
export const IMAP_NESTING_MAX = 50;
/** Keys of one SEARCH, counting NOT, OR and parentheses: each becomes part of one SQL statement. */
export const IMAP_SEARCH_KEYS_MAX = 500;
/** Messages that are not in the mailbox but named by those that are: each takes part in THREAD. */
export const IMAP_THREAD_ABSENT_MAX = 500_000;
/** Messages that one UIDBATCHES may cut; RFC 10022 §3.1.4 asks for 100,000 at least. */
export const IMAP_BATCHED_MESSAGES_MAX = 1_000_000;
/** RFC 10022 §3.1.3: smaller batches are no batches, but sequence numbers in disguise. */
export const IMAP_BATCH_MESSAGES_MIN = 500;
/** RFC 9585 §4: how often a command that lasts tells how far it is. */
export const IMAP_PROGRESS_MS = 10_000;
/** Patterns of one LIST: each is compared with every mailbox. */
export const IMAP_LIST_PATTERNS_MAX = 100;
/** RFC 7162 §3.2.5.2: pairs of match data; more than these are left unused. */
export const IMAP_MATCH_PAIRS_MAX = 10_000;
/** Messages that one APPEND brings; they become one fact. */
export const IMAP_APPEND_MESSAGES_MAX = 500;
/** Parts of messages of which it is remembered where they stand; 150 octets each. */
export const IMAP_STRUCTURED_PARTS_MAX = 100_000;
/** Commands of one connection that may be in progress together: they share syncs and turns. */
export const IMAP_COMMANDS_IN_PROGRESS_MAX = 64;
export const IMAP_IDLE_MS_BEFORE_LOGIN = 30_000;
/** RFC 9051 §5.4: at least 30 minutes. */
export const IMAP_IDLE_MS_AFTER_LOGIN: number = 30 * 60_000;
export const IMAP_WRITE_MS_BEFORE_LOGIN = 30_000;
export const IMAP_WRITE_MS_AFTER_LOGIN: number = 5 * 60_000;
/** Failed logins on a connection: from so many on it is slow, with more each answer comes later. */
export const IMAP_FAILURES_FAST = 3;
/** What passes then before each read. */
export const IMAP_SLOW_READ_MS = 1000;
/** A session that lags by more must resync: it is closed. */
export const IMAP_PENDING_CHANGES_MAX = 10_000;
/** What may wait for a client that asked for news only when it says so; then it gets none. */
export const IMAP_DELAYED_CHANGES_MAX = 1000;
/** Groups of one NOTIFY: each mailbox is compared with all of them. */
export const IMAP_NOTIFY_GROUPS_MAX = 100;
/** Mailboxes that one filter names. */
export const IMAP_FILTER_NAMES_MAX = 1000;
/** RFC 4978: what a client may send, inflated: so many times what it sent, and so much besides. */
export const IMAP_INFLATED_RATIO_MAX = 100;
export const IMAP_INFLATED_BYTES_FREE: number = 16 * 1024 * 1024;
/** Previews of messages that are kept in memory, of at most 200 characters each. */
export const IMAP_PREVIEWS_MAX = 10_000;
/** Lines that we send are split at about this length. */
export const IMAP_REPLY_LINE_BYTES = 4096;
/** Numbers in one `* SEARCH` line. */
export const IMAP_SEARCH_LINE_NUMBERS = 100;
/** What our client reads of one answer: lines (long UID sets, structures), literals (bodies). */
export const IMAP_CLIENT_LINE_BYTES_MAX: number = 8 * 1024 * 1024;
export const IMAP_CLIENT_LITERAL_BYTES_MAX: number = 256 * 1024 * 1024;
export const IMAP_CLIENT_LITERALS_MAX = 100_000;
/** How deep the structure of a message may nest in an answer. */
export const IMAP_CLIENT_NESTING_MAX = 250;
/** What one command of our client gathers in memory: messages, mailboxes, numbers. */
export const IMAP_CLIENT_RESULTS_MAX = 1_000_000;
/** Fetched messages that wait for whoever asked: then the server waits too. */
export const IMAP_CLIENT_FLOW_BYTES: number = 1024 * 1024;
/** How long our client waits for any sign of the server while a command runs. */
export const IMAP_CLIENT_ANSWER_MS: number = 2 * 60_000;
/** RFC 2177 §3: IDLE anew at least every 29 minutes. */
export const IMAP_CLIENT_IDLE_MS: number = 28 * 60_000;
/** RFC 7162 §4: every server takes lines of 8192 octets; longer sets go in several commands. */
export const IMAP_CLIENT_SET_CHARS_MAX = 8000;

/** RFC 5321 §4.5.3.1.4 asks for 512; extensions add to it. */
export const SMTP_LINE_BYTES_MAX = 2048;
export const SMTP_COMMAND_MS = 30_000;
/** The whole DATA phase. */
export const SMTP_DATA_MS: number = 30 * 60_000;
/** RFC 5321 §4.5.3.1.8 asks for 100 at least. */
export const SMTP_RECIPIENTS_MAX = 1000;
/** Copies of a message: members of aliases count each. */
export const SMTP_COPIES_MAX = 10_000;
/** Copies of a message that are delivered at once; each is an account that opens its files. */
export const SMTP_COPIES_AT_ONCE = 50;
/** Copies that are remembered of messages that come in parts, together; and for how long. */
export const SMTP_SPLIT_COPIES_MAX = 100_000;
/** RFC 5321 §4.5.4.1: senders come again for 4 to 5 days. */
export const SMTP_SPLIT_MS: number = 5 * 86_400_000;
/** RFC 5321 §6.3: loop detection. */
export const SMTP_RECEIVED_FIELDS_MAX = 100;
/** How long a message may be asked to wait. RFC 4865. */
export const SMTP_HOLD_MS_MAX: number = 60 * 24 * 3_600_000;
export const SMTP_REFUSED_TRANSACTIONS_MAX = 10;
/** What is read of a report about a delivery. */
export const REPORT_BYTES_MAX: number = 1024 * 1024;
/** What is read of a message before it is stored; a longer header is not looked at further. */
export const SMTP_HEADER_BYTES_MAX: number = 1024 * 1024;
/** How long a sender who knows no recipient waits for the answer. */
export const SMTP_UNKNOWN_MS = 5_000;
/** How long a peer may take to close what we have closed. */
export const SMTP_CLOSE_MS = 5_000;
/** How long conversations may take to end when the server stops. */
export const SMTP_STOP_MS = 3_000;
/** From the third failed login on, every read waits. */
export const SMTP_SLOW_MS = 1_000;

/** What our client reads of one reply; RFC 5321 §4.5.3.1.5 asks for 512 octets a line. */
export const SMTP_CLIENT_LINE_BYTES_MAX = 4096;
export const SMTP_CLIENT_REPLY_LINES_MAX = 200;
/** What it takes in before somebody looks at it. */
export const SMTP_CLIENT_UNREAD_BYTES_MAX: number = 64 * 1024;
/** What it sends in one piece; within the time for a reply the server must take that much. */
export const SMTP_CLIENT_PIECE_BYTES: number = 64 * 1024;
/** How long it waits for a reply, and RFC 5321 §4.5.3.2.6 for the one behind the message. */
export const SMTP_CLIENT_REPLY_MS = 30_000;
export const SMTP_CLIENT_END_MS: number = 10 * 60_000;
/** One message with everything around it. */
export const SMTP_CLIENT_DELIVERY_MS: number = 30 * 60_000;
/** How long attempts that run may still go on when the server stops. */
export const QUEUE_STOP_MS = 10_000;
/** How long a goodbye may take. */
export const SMTP_CLIENT_QUIT_MS = 5_000;
/** Challenges of one login. */
export const SMTP_CLIENT_CHALLENGES_MAX = 10;

/** What an application may want to hear again: it is stored with the message, in one fact. */
export const EXTRA_BYTES_MAX: number = 4 * 1024;
export const EXTRA_KEYS_MAX = 64;

/** One webhook call, with connecting and redirects. */
export const HOOK_CALL_MS = 60_000;
export const HOOK_REDIRECTS_MAX = 10;
/** Calls to all receivers; one receiver has one. */
export const HOOK_CALLS_AT_ONCE = 10;
/** How long calls that run may still go on when the server stops. */
export const HOOK_STOP_MS = 10_000;

/** Default of the largest message, announced as SIZE and APPENDLIMIT. */
export const MESSAGE_BYTES_MAX: number = 100 * 1024 * 1024;

/**
 * What is looked at of a message's structure. What goes beyond is kept like everything else, but
 * shown as part of the text around it.
 */
export const MIME_DEPTH_MAX = 100;
export const MIME_PARTS_MAX = 10_000;
/** Of one header, and of all headers of a message together. */
export const MIME_HEADER_BYTES_MAX: number = 1024 * 1024;
export const MIME_HEADERS_BYTES_MAX: number = 4 * 1024 * 1024;
/** Lines that look like a boundary but are none: each costs a look. */
export const MIME_FALSE_BOUNDARIES_MAX = 1_000_000;
/** Parameters of one field. */
export const MIME_PARAMETERS_MAX = 100;
/** Addresses in the ENVELOPE of a message, those of attached messages included. */
export const MIME_ADDRESSES_MAX = 10_000;

export const CONNECT_MS = 30_000;
export const TLS_HANDSHAKE_MS = 60_000;

/** RFC 8461 §3.3: a policy of another domain, and how long fetching it may take. */
export const STS_POLICY_BYTES_MAX: number = 64 * 1024;
export const STS_FETCH_MS = 60_000;
/** Signatures of ours that are checked in a message that comes in. */
export const OWN_SIGNATURES_MAX = 5;

/** CNAMEs that are followed from a recipient’s domain, and from the name of a host. */
export const DOMAIN_CNAMES_MAX = 16;
export const HOST_CNAMES_MAX = 10;
/** Hosts of a domain, and addresses of a host, that are tried. */
export const DESTINATION_HOSTS_MAX = 50;
export const HOST_ADDRESSES_MAX = 20;
/** RFC 7671 §5: TLSA records of a host, and certificates of a chain, that are looked at. */
export const TLSA_RECORDS_MAX = 100;
export const DANE_CHAIN_MAX = 20;
