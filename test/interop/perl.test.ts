/**
 * Mail::IMAPClient of Perl: log in, append, fetch, store, search, sort, thread, idle, expunge.
 */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { LOGIN, PASSWORD, startLocalserve } from '../support/localserve.ts';
import { missing, runProgram } from '../support/programs.ts';

const SCRIPT = String.raw`
use strict;
use warnings;
use Mail::IMAPClient;

my ($host, $user, $password) = @ARGV;
sub opened {
    my $imap = Mail::IMAPClient->new(
        Server => $host, Port => 1143, User => $user, Password => $password,
        Uid => 1, Peek => 1, Timeout => 20, @_,
    ) or die "login: $@";
    return $imap;
}
sub mail {
    my ($number, $subject, $before) = @_;
    my $references = $before ? "References: <$before\@example.org>\r\n" : '';
    return "From: a$number\@example.org\r\nSubject: $subject\r\n"
        . "Date: Mon, 0$number Jan 2026 10:11:12 +0000\r\n"
        . "Message-ID: <$number\@example.org>\r\n$references\r\nbody $number\r\n";
}
my $imap = opened(Authmechanism => 'PLAIN');
print 'capability ', ($imap->has_capability('IDLE') ? 'IDLE' : 'none'), "\n";
$imap->create('Perl') or die $imap->LastError;
my @uids = map { $imap->append_string('Perl', $_) or die $imap->LastError }
    mail(1, 'pears'), mail(2, 'apples'), mail(3, 'Re: pears', 1);
print "appended @uids\n";
$imap->select('Perl') or die $imap->LastError;
print 'count ', $imap->message_count('Perl'), "\n";
print 'subject ', $imap->subject(2), "\n";
print 'size ', $imap->size(2), ' ', length(mail(2, 'apples')), "\n";
print 'whole ', ($imap->message_string(3) eq mail(3, 'Re: pears', 1) ? 'same' : 'other'), "\n";
my $structure = $imap->get_bodystructure(1);
print 'type ', lc($structure->bodytype), '/', lc($structure->bodysubtype), "\n";
my $envelope = $imap->get_envelope(2);
print 'envelope ', $envelope->subject, "\n";
$imap->store(2, '+FLAGS (\Flagged)') or die $imap->LastError;
print 'flags ', join(' ', $imap->flags(2)), "\n";
print 'search ', join(' ', $imap->search('SUBJECT', $imap->Quote('pears'))), "\n";
print 'flagged ', join(' ', $imap->search('FLAGGED')), "\n";
print 'sort ', join(' ', $imap->sort('REVERSE DATE', 'UTF-8', 'ALL')), "\n";
my $threads = $imap->thread('REFERENCES', 'UTF-8', 'ALL') or die $imap->LastError;
print 'thread ', join(' | ', map { ref $_ ? "@$_" : $_ } @$threads), "\n";
my $tag = $imap->idle or die $imap->LastError;
my $other = opened();
$other->append_string('Perl', mail(4, 'late')) or die $other->LastError;
my $heard = $imap->idle_data(10);
print 'idle ', join(' ', grep { /EXISTS/ } map { s/\s+$//r } @$heard), "\n";
$imap->done($tag) or die $imap->LastError;
$imap->delete_message(1, 2) or die $imap->LastError;
$imap->expunge or die $imap->LastError;
print 'left ', join(' ', $imap->messages), "\n";
$imap->move('INBOX', 3) or die $imap->LastError;
$imap->expunge;
print 'moved ', $imap->message_count('INBOX'), ' ', $imap->message_count('Perl'), "\n";
$imap->logout;
`;

const EXPECTED = `capability IDLE
appended 1 2 3
count 3
subject apples
size N N
whole same
type text/plain
envelope apples
flags \\Flagged
search 1 3
flagged 2
sort 3 2 1
thread 1 3 | 2
idle * 4 EXISTS
left 3 4
moved 1 1
`;

function withoutModule(): string | false {
  const loaded = spawnSync('perl', ['-MMail::IMAPClient', '-e', '1'], { stdio: 'ignore' });
  return loaded.status === 0 ? false : 'Mail::IMAPClient is not installed';
}

test('Mail::IMAPClient: a full cycle', { skip: missing('perl') || withoutModule() }, async () => {
  await using server = await startLocalserve();
  const ran = await runProgram('perl', ['-e', SCRIPT, server.ip, LOGIN, PASSWORD]);
  assert.equal(ran.code, 0, ran.stderr);
  assert.equal(ran.stdout.replace(/^size (\d+) \1$/m, 'size N N'), EXPECTED);
});
