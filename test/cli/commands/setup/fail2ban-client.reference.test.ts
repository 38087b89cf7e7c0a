import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { makeDirectory, startServer } from '../../../http/running-server.ts';
import { CountingControl } from '../../counting-control.ts';
import {
  findReference,
  type Reference,
  runClient,
  startReference,
  writeConfiguration,
} from '../../fail2ban/reference.ts';
import { type Outcome, run } from '../../fake-terminal.ts';

const REFERENCE = findReference();
const REASON = 'missing' in REFERENCE ? REFERENCE.missing : null;
const RELEASE = 'release' in REFERENCE ? REFERENCE.release : null;

/** In this order: what one changes, the next ones see. */
const COMMANDS = `
ping
ping 2
version
status
status sshd
banned
banned 203.0.113.9
get sshd banip
get sshd banip --with-time
get sshd banned
set sshd banip
set sshd banip 203.0.113.9
set sshd banip 203.0.113.9 2001:db8::1 198.51.100.0/24
set mail banip 203.0.113.9
status sshd
status mail
status sshd basic
status sshd short
status sshd unknown
status nope
status sshd short more
banned
banned 203.0.113.9
banned 203.0.113.9 192.0.2.1 2001:db8::1
banned nonsense
get sshd banned
get sshd banned 203.0.113.9
get sshd banned 192.0.2.1
get sshd banned 203.0.113.9 192.0.2.1
get sshd banip
get sshd banip ,
get sshd banip --with-time
get nope banip
get sshd bantime
get sshd findtime
get sshd maxretry
get sshd ignoreip
get sshd ignoreself
get sshd usedns
get sshd actions
get nope bantime
get sshd nonsense
get sshd
get
set
set sshd
set sshd nonsense 1
set nope banip 203.0.113.9
set nope unbanip 203.0.113.9
set sshd unbanip
set sshd unbanip 203.0.113.9
set sshd unbanip 203.0.113.9
set sshd unbanip nonsense
set sshd unbanip --report-absent 203.0.113.9
set sshd unbanip --report-absent 2001:db8::1
status sshd
unban
unban nonsense
unban 203.0.113.9
unban 203.0.113.9 198.51.100.0/24
set sshd banip 203.0.113.9 192.0.2.1
unban --all
unban --all
status sshd short
reload
reload sshd
reload --restart --unban sshd
restart mail
reload sshd mail
start
echo one two
flushlogs
nonsense
-V
--version
--vers
--str2sec 1d12h
--str2sec 1y6mo
--str2sec -1
-q ping
-qq ping
-t
`
  .trim()
  .split('\n');

/** Of 1.1.0 only. They come first: a restart there begins its totals anew. */
const LATER_COMMANDS = `
stats
statistics
stats sshd
set sshd banip 203.0.113.9 192.0.2.1
set mail banip 2001:db8::1
stats
status --all
status --all basic
status --all short
status --all cymru
status --all nope
status --all short more
unban --all
`
  .trim()
  .split('\n');

/** What no two runs have in common, and what is not the same because the programs are not. */
function normalise({ status, out, error }: Outcome): Outcome {
  const sameTimes = (text: string): string =>
    text.replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:,\d+)?/g, 'TIME');
  return {
    status,
    out: sameTimes(out)
      .replace(/(File list:\t).*/g, '$1')
      .replace(/(?:polling|systemd) {2}║/g, 'BACKEND ║')
      // It rounds the beginning of a ban and its end, each for itself.
      .replace(/ \+ 601 = /g, ' + 600 = ')
      .replace(/^(Fail2Ban v)?(?:1\.0\.2|1\.1\.0)$/, '$1VERSION'),
    error: sameTimes(error)
      .replace(/\[\d+\]/g, '[PID]')
      .split('\n')
      .filter((line) => !/ (?:INFO|WARNING|DEBUG) /.test(line))
      .join('\n'),
  };
}

const MAX_ATTEMPTS = 20;

/** Before it starts a server it gives the one that runs a tenth of a second to answer: too little on a busy machine. */
async function askPatiently(reference: Reference, words: readonly string[]): Promise<Outcome> {
  let outcome = await reference.client(words);
  for (let attempt = 1; attempt < MAX_ATTEMPTS && outcome.error.includes('unexpected state'); attempt++)
    outcome = await reference.client(words);
  return outcome;
}

async function startOurs(t: TestContext): Promise<(words: readonly string[]) => Promise<Outcome>> {
  const { socketPath } = await startServer(t, new CountingControl());
  return (words) =>
    run(['fail2ban-client', ...words], { environment: { BAILIFF_SOCKET: socketPath }, now: Date.now });
}

test('every command has the output and exit status of the real fail2ban-client, to the byte', async (t) => {
  if (REASON !== null) return t.skip(REASON);
  const reference = await startReference(t);
  const ours = await startOurs(t);
  const commands = RELEASE === '1.0.2' ? COMMANDS : [...LATER_COMMANDS, ...COMMANDS];
  for (const command of commands) {
    const words = command.split(' ');
    const expected = normalise(await askPatiently(reference, words));
    assert.deepEqual(normalise(await ours(words)), expected, command);
  }
});

test('what cannot be done fails with the exit status of fail2ban, and says why', async (t) => {
  if (REASON !== null) return t.skip(REASON);
  const directory = makeDirectory(t);
  writeConfiguration(directory);
  for (const command of [
    'ping',
    'status',
    'banned',
    'reload',
    'unban --all',
    '--nonsense',
    '-Z',
    '--str2sec x',
  ]) {
    const words = command.split(' ');
    const expected = await runClient(directory, words);
    const { status, out, error } = await run(['fail2ban-client', '-s', `${directory}/none.sock`, ...words]);
    assert.equal(status, expected.status, command);
    assert.equal(out === '', expected.out === '', command);
    assert.equal(error === '', expected.error === '', command);
  }
});
