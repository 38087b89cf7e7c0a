/**
 * Log files that jails of fail2ban read: bailiff follows no files, so rsyslog's imfile sends them to it, over a
 * connection of this host that feeds these jails and no other.
 */
import type { ImportedJail } from '../../import/fail2ban/jail.ts';
import { IMPORT_MARK } from '../../import/fail2ban/toml.ts';

/** One input of imfile. */
export type LogInput = {
  /** The path; its wildcards are those of imfile too. */
  readonly file: string;
  /** The program name under which its lines are sent, which the filters of the jails go by. */
  readonly tag: string;
  readonly jails: readonly string[];
};

/** Where bailiff hears rsyslog. */
const PORT = 5514;

/** The inputs for the jails that are on; `identifiersOf` are the program names that a jail's filter reads. */
export function logInputs(
  jails: readonly ImportedJail[],
  identifiersOf: (jail: ImportedJail) => readonly string[],
): LogInput[] {
  const inputs: { readonly file: string; tag: string; tags: string[]; readonly jails: string[] }[] = [];
  for (const jail of jails.filter(({ isEnabled }) => isEnabled)) {
    const tags = tagsOf(jail, identifiersOf(jail));
    for (const file of jail.files) {
      // One input for all filters that have a name in common: imfile follows a file once.
      const known = inputs.find(
        (input) => input.file === file && input.tags.some((tag) => tags.includes(tag)),
      );
      if (known === undefined) {
        inputs.push({ file, tag: tags[0] ?? jail.filter, tags, jails: [jail.name] });
        continue;
      }
      known.tags = known.tags.filter((tag) => tags.includes(tag));
      known.tag = known.tags[0] ?? known.tag;
      known.jails.push(jail.name);
    }
  }
  return inputs.map(({ file, tag, jails }) => ({ file, tag, jails }));
}

/** What rsyslog can write as a tag. */
function tagsOf({ filter }: ImportedJail, identifiers: readonly string[]): string[] {
  const plain = identifiers.filter((name) => /^[\w.-]{1,32}$/.test(name));
  return plain.length > 0 ? plain : [filter];
}

/** The file for /etc/rsyslog.d. Lines that are there already are not sent: they are old. */
export function writeRsyslog(inputs: readonly LogInput[]): string {
  return [
    IMPORT_MARK,
    '# Sends log files to bailiff. Put it into /etc/rsyslog.d, then: rsyslogd -N1 && systemctl restart rsyslog',
    '# The next line goes where your rsyslog has loaded imfile already.',
    'module(load="imfile")',
    ...inputs.map(
      ({ file, tag }) =>
        `input(type="imfile" File="${escaped(file)}" Tag="${tag}" Facility="local7" freshStartTail="on" Ruleset="bailiff-files")`,
    ),
    'ruleset(name="bailiff-files") {',
    `  action(type="omfwd" Target="127.0.0.1" Port="${PORT}" Protocol="tcp" TCP_Framing="octet-counted"`,
    '         Template="RSYSLOG_SyslogProtocol23Format" queue.type="LinkedList" action.resumeRetryCount="-1")',
    '}',
    '',
  ].join('\n');
}

/** Within the quotation marks of RainerScript, where a `$` stands for itself (rsyslogd 8.2302 refuses `\$`). */
function escaped(path: string): string {
  return path.replace(/["\\]/g, '\\$&');
}

/** The file for conf.d that lets bailiff hear it. */
export function writeListener(inputs: readonly LogInput[]): string {
  const jails = [...new Set(inputs.flatMap((input) => input.jails))];
  return [
    IMPORT_MARK,
    '# Lines of log files, which rsyslog sends. Every user of this host can connect there: what comes feeds these jails only.',
    '[syslog]',
    `tcp = ["127.0.0.1:${PORT}"]`,
    '',
    '[[sender]]',
    'name = "log-files"',
    'addresses = ["127.0.0.1"]',
    `jails = [${jails.map((name) => `"${name}"`).join(', ')}]`,
    '',
  ].join('\n');
}
