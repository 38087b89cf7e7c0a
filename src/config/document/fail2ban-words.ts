/**
 * The words of jail.conf(5), as somebody writes them who has known fail2ban for years: what to write instead, or why
 * there is no such key.
 */
import { parseNetwork } from '../../core/address/address.ts';
import { FOREVER, parseDuration } from '../../core/time.ts';
import { quote } from './problem.ts';

/** Words of a value that are carried over into what is to be written; with more of them an example stands there. */
const MAX_CARRIED = 8;

/**
 * What to write in place of fail2ban's `key = written`, as a sentence without a capital and full stop; null for a key
 * that fail2ban does not have. `written` is the value's text, '' where it has none.
 */
export function adviceOnFail2ban(key: string, written: string): string | null {
  const word = key.toLowerCase();
  const renamed = RENAMED.get(word);
  if (renamed !== undefined) return `this is fail2ban's word: write ${renamed(written.trim())}`;
  const reason = ABSENT.get(word) ?? ABSENT.get(word.replace(/[._].*$/, ''));
  return reason === undefined ? null : `fail2ban has it, bailiff does not: ${reason}`;
}

const inJail = (text: string): string => `\`${text}\` in its [jail.NAME]`;

/** What is called otherwise here. */
const RENAMED: ReadonlyMap<string, (written: string) => string> = new Map([
  ['bantime', (written) => `\`ban_time = ${durationOf(written, '10m')}\``],
  ['findtime', (written) => `\`find_time = ${durationOf(written, '10m')}\``],
  ['maxretry', (written) => `\`max_retry = ${/^\d{1,4}$/.test(written) ? Number(written) : 5}\``],
  ['ignoreip', (written) => `\`ignore = ${listOf(networksOf(written), '192.0.2.7')}\``],
  ['port', portsOf],
  ['filter', filtersOf],
  ['failregex', () => `a rule, as [[rules]] in filters/NAME.toml: ${IMPORT}`],
  ['ignoreregex', () => `a rule with \`kind = "ignore"\`, as [[rules]] in filters/NAME.toml: ${IMPORT}`],
  ['default', () => '[defaults]'],
  ['definition', () => `the filter as filters/NAME.toml: ${IMPORT}`],
  ['dbfile', () => '`state_dir` in [daemon], the directory of the database'],
]);

const IMPORT = '`bailiff import fail2ban` makes it of a filter of fail2ban';
const NO_FILES =
  "log files are not read: the journal is, and syslog; how a program's file comes there is in docs/devices";
const NO_ACTION =
  'bans are in nftables, for the whole host or for the `ports` of the jail; to do more with a ban, follow them: ' +
  '`bailiff bans --follow --json`';
const NO_MAIL = 'it sends no mail; `bailiff bans --follow --json` tells each ban to whoever does';
const NO_LOG = 'its log is in the journal: `journalctl -u bailiff -p warning` is what matters';
const NO_NAMES = 'names are never looked up, since who owns an address decides what its name is';

/** Why there is nothing of the kind; of `bantime.increment` and `action_mwl` the first part is looked up too. */
const ABSENT: ReadonlyMap<string, string> = new Map([
  ['logpath', NO_FILES],
  ['backend', NO_FILES],
  ['logencoding', NO_FILES],
  ['logtimezone', NO_FILES],
  ['tail', NO_FILES],
  ['datepattern', 'the journal and syslog bring the time of each line'],
  ['journalmatch', 'a filter says in `identifiers` and [journal] whose entries it reads'],
  ['prefregex', `each rule of a filter reads the whole line: ${IMPORT}`],
  ['maxlines', 'a rule reads one line; `remember` and `after` join the lines of a session'],
  ['maxmatches', 'lines are not kept with a ban; they are in the journal'],
  ['bantime', 'every ban of a jail lasts `ban_time`, whoever comes back'],
  ['action', NO_ACTION],
  ['actions', NO_ACTION],
  ['banaction', NO_ACTION],
  ['chain', NO_ACTION],
  ['blocktype', NO_ACTION],
  ['actionban', NO_ACTION],
  ['actionunban', NO_ACTION],
  ['actionstart', NO_ACTION],
  ['actionstop', NO_ACTION],
  ['actioncheck', NO_ACTION],
  ['protocol', 'each of `ports` says it itself, as in `ports = ["tcp/22", "udp/5060"]`'],
  ['destemail', NO_MAIL],
  ['sender', NO_MAIL],
  ['sendername', NO_MAIL],
  ['mta', NO_MAIL],
  ['usedns', NO_NAMES],
  ['ignoreself', 'the addresses of this host are never banned'],
  ['ignorecommand', 'nothing is run for a line; put addresses into `ignore`, or into `addresses` of [trust]'],
  ['ignorecache', 'nothing is run for a line; put addresses into `ignore`, or into `addresses` of [trust]'],
  ['allowipv6', 'IPv6 is read and banned always'],
  ['dbpurgeage', 'a ban is kept until it ends, and counts for as long as `find_time`'],
  ['dbmaxmatches', 'lines are not kept with a ban; they are in the journal'],
  ['loglevel', NO_LOG],
  ['logtarget', NO_LOG],
  ['syslogsocket', NO_LOG],
  ['pidfile', 'systemd knows its process: `systemctl show -p MainPID bailiff`'],
  ['includes', 'files of conf.d/ are read after this one, in the order of their names'],
  ['before', 'files of conf.d/ are read after this one, in the order of their names'],
  ['init', NO_ACTION],
]);

function durationOf(written: string, example: string): string {
  const length = parseDuration(written);
  if (length === null) return `"${example}"`;
  if (length === FOREVER) return '"forever"';
  return /^\d+$/.test(written) ? written : quote(written);
}

function networksOf(written: string): readonly string[] {
  return wordsOf(written).filter((word) => parseNetwork(word) !== null);
}

function portsOf(written: string): string {
  const words = wordsOf(written);
  if (words.some((word) => /^(?:all|any|anyport|0[:-]65535|1[:-]65535)$/i.test(word))) {
    return 'nothing: without `ports` a ban is from the whole host';
  }
  const ports = words.map((word) => word.replace(/:(?=\w+$)/, '-'));
  return inJail(`ports = ${listOf(ports.filter(isPlain), 'tcp/22')}`);
}

/** `sshd[mode=aggressive]` and `%(__name__)s[mode=%(mode)s]` among them. */
function filtersOf(written: string): string {
  const name = /^([a-z0-9][\w-]*)(?:\[|$)/.exec(written)?.[1];
  const mode = /\[.*\bmode=["']?(normal|extra|aggressive)\b/.exec(written)?.[1];
  const filters = `filters = ${listOf(name === undefined ? [] : [name], 'sshd')}`;
  return inJail(mode === undefined ? filters : `${filters}\` and \`mode = "${mode}"`);
}

function wordsOf(written: string): readonly string[] {
  return written.split(/[\s,]+/).filter((word) => word !== '');
}

function isPlain(word: string): boolean {
  return /^[\w./-]{1,40}$/.test(word);
}

function listOf(words: readonly string[], example: string): string {
  const shown = words.length === 0 || words.length > MAX_CARRIED ? [example] : words;
  return `[${shown.map((word) => `"${word}"`).join(', ')}]`;
}
