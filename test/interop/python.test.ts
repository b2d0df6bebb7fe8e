/**
 * Python's imaplib and smtplib: submit with STARTTLS, sort, read, flag, move, expunge.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LOGIN, PASSWORD, startLocalserve } from '../support/localserve.ts';
import { missing, runProgram } from '../support/programs.ts';

const SCRIPT = `
import imaplib, smtplib, ssl, sys, time
host, login, password = sys.argv[1:4]
context = ssl._create_unverified_context()
submission = smtplib.SMTP(host, 1587, timeout=10)
submission.starttls(context=context)
submission.login(login, password)
head = 'From: %s\\r\\nTo: friend@example.org\\r\\nSubject: sent\\r\\n' % login
submission.sendmail(login, ['friend@example.org'], head + '\\r\\nhello\\r\\n')
submission.quit()
mx = smtplib.SMTP(host, 1025, timeout=10)
mx.sendmail('x@example.org', [login], 'Subject: direct\\r\\n\\r\\n..dots\\r\\n.\\r\\n')
mx.quit()
for imap in (imaplib.IMAP4(host, 1143), imaplib.IMAP4_SSL(host, 1993, ssl_context=context)):
    imap.login(login, password)
    deadline = time.time() + 10
    while True:
        count = int(imap.select('INBOX')[1][0])
        if count >= 2: break
        assert time.time() < deadline, 'mail did not arrive'
        time.sleep(0.05)
    print('exists', count)
    imap.logout()
imap = imaplib.IMAP4(host, 1143)
imap.starttls(ssl_context=context)
imap.login(login, password)
imap.select('INBOX')
status, found = imap.search(None, 'SUBJECT', '"direct"')
number = found[0].decode()
print('sorted', imap.sort('(SUBJECT)', 'UTF-8', 'ALL')[1][0].split()[0].decode() == number)
print('threads', imap.thread('REFERENCES', 'UTF-8', 'ALL')[1][0].decode())
status, data = imap.fetch(number, '(FLAGS BODY.PEEK[TEXT])')
print('body', repr(data[0][1]))
print('store', imap.store(number, '+FLAGS', '(\\\\Flagged)')[1][0].decode())
print('copy', imap.copy(number, 'Archive')[0])
imap.store(number, '+FLAGS', '(\\\\Deleted)')
print('expunge', imap.expunge()[0])
print('left', imap.select('INBOX')[1][0].decode(), imap.select('Archive')[1][0].decode())
print('list', imap.list()[0])
imap.close()
imap.logout()
`;

test('imaplib and smtplib: a full cycle', { skip: missing('python3') }, async () => {
  await using server = await startLocalserve();
  const ran = await runProgram('python3', ['-c', SCRIPT, server.ip, LOGIN, PASSWORD]);
  assert.equal(ran.code, 0, ran.stderr);
  assert.match(ran.stdout, /exists 2\nexists 2\n/);
  assert.match(ran.stdout, /sorted True\nthreads \((1\)\(2|2\)\(1)\)\n/);
  assert.match(ran.stdout, /body b'\.\.dots\\r\\n\.\\r\\n'/);
  assert.match(ran.stdout, /store \d \(.*FLAGS \(\\Flagged\)/);
  assert.match(ran.stdout, /copy OK\nexpunge OK\nleft 1 1\nlist OK\n/);
});
