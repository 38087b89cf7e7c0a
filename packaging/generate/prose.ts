/** What the manual says beyond what the program knows of itself. */
import { type Block, literal, paragraph, type Term } from './page.ts';

export const FILES: readonly Term[] = [
  ['/etc/bailiff/bailiff.toml', 'The configuration, see bailiff.toml(5).'],
  ['/etc/bailiff/conf.d/*.toml', 'More of it: read after bailiff.toml, in the order of the names.'],
  [
    '/etc/bailiff/filters/*.toml',
    'Your own filters, see bailiff-filters(5). One takes the place of a shipped one of its name.',
  ],
  ['/usr/share/bailiff/filters/*.toml', 'The filters that come along.'],
  ['/usr/share/bailiff/jails.toml', 'The jails that come along, to be enabled in conf.d; manual is on.'],
  ['/usr/share/bailiff/schema/', 'JSON schemas of the configuration and of filters, for editors.'],
  ['/var/lib/bailiff/', 'Bans, counts and the position in the journal, across restarts.'],
  ['/run/bailiff/bailiff.sock', 'The control socket. Its owner, root and the group bailiff may use it.'],
];

export const PROGRAM_PROSE: {
  readonly description: readonly string[];
  readonly signals: readonly Term[];
  readonly examples: readonly Block[];
} = {
  description: [
    'bailiff reads the journal of systemd-journald and receives syslog from routers, NAS boxes and other hosts. Its ' +
      '*filters* find failures in what these report: refused passwords, unknown users, requests that only scanners ' +
      'send. A *jail* counts the failures of each address, and bans the address when there are too many in a given ' +
      'time.',
    'Bans are elements of nftables sets, in a table of their own, that time out in the kernel. They are looked up ' +
      'before connection tracking, so a ban also ends connections that are open. When bailiff stops, they stay until ' +
      'their time is over; when another program flushes the table, it is back within a second. IPv6 offenders are ' +
      'banned by /64, since that is what one customer has.',
    'Addresses of this host, those in the `[trust]` table, and those that a jail ignores are never banned.',
    'The daemon is `bailiff run`, which a package installs as bailiff.service. All other commands ask the daemon, or ' +
      'work on files without it.',
  ],
  signals: [
    ['`SIGTERM`, `SIGINT`', 'Stop. Everything is saved first, and bans stay in the kernel.'],
    ['`SIGHUP`', 'Read the configuration again, as bailiff-reload(8) does.'],
  ],
  examples: [
    paragraph('How things are, and who is banned:'),
    literal('bailiff status', 'bailiff bans --jail sshd'),
    paragraph('Enable a jail for Postfix, and put that into force:'),
    literal(
      "printf '[jail.postfix]\\nenabled = true\\n' > /etc/bailiff/conf.d/postfix.toml",
      'bailiff check && bailiff reload',
    ),
    paragraph('Somebody has locked himself out:'),
    literal('bailiff unban 203.0.113.9'),
  ],
};

/** Paragraphs that follow a command's own description, what is typed then, and other commands to see. */
export const COMMAND_PROSE: Readonly<
  Record<
    string,
    {
      readonly paragraphs?: readonly string[];
      readonly lines?: readonly string[];
      readonly seeAlso?: readonly string[];
    }
  >
> = {
  run: {
    paragraphs: [
      'Usually the service manager runs it: `systemctl start bailiff`. Started by hand, it logs to standard output.',
      'A part that cannot work does not keep the others from working: without the right to change nftables, for ' +
        'example, failures are counted and bans recorded, and `bailiff status` says that they are not enforced.',
    ],
    seeAlso: ['status', 'check', 'reload'],
  },
  status: {
    paragraphs: [
      'For each jail it shows the failures that count at this moment, all since the state directory was made, and the ' +
        'same for bans.',
    ],
    seeAlso: ['bans', 'run'],
  },
  bans: { seeAlso: ['ban', 'unban', 'status'] },
  ban: {
    paragraphs: ['A ban in force is replaced by the new one. It is confirmed when the kernel holds it.'],
    seeAlso: ['unban', 'bans'],
  },
  unban: {
    paragraphs: [
      'A ban of a network that holds the address is lifted too. The failures of the address are forgotten: it begins ' +
        'anew. That nobody was banned is no failure: with `--json`, `changed` is false then.',
    ],
    seeAlso: ['ban', 'bans'],
  },
  reload: {
    paragraphs: ['Bans and counts stay. Bans of a jail that is gone stay until they time out.'],
    seeAlso: ['check', 'status'],
  },
  match: { seeAlso: ['explain', 'test', 'lint'] },
  explain: { seeAlso: ['match', 'test', 'lint'] },
  test: { seeAlso: ['lint', 'match', 'check'] },
  lint: {
    paragraphs: [
      'Every log line holds text that an attacker chose: a user name, a path, a banner. A filter is good when no such ' +
        'text can pass for an address, and when no line can hold up the daemon. Both are proved for each rule.',
    ],
    seeAlso: ['test', 'explain'],
  },
  import: {
    paragraphs: [
      'Run both for a while: bailiff with `--dry-run` bans nobody, and its log shows what it would do.',
    ],
    seeAlso: ['fail2ban-client', 'check', 'run'],
  },
  'fail2ban-client': {
    paragraphs: [
      'Trees, tabs, lists and messages are those of fail2ban 1.0.2 and 1.1.0, so that what parses them need not be changed. ' +
        'Jails are changed in the configuration only: `set` *JAIL* `bantime` and the like fail, and say so. `start`, ' +
        '`stop` and `restart` name the command of systemctl(1) that does it.',
      'To have it where scripts look for it, a file /usr/local/bin/fail2ban-client with these lines will do:',
    ],
    lines: ['#!/bin/sh', 'exec bailiff fail2ban-client "$@"'],
    seeAlso: ['import', 'status'],
  },
  check: { seeAlso: ['reload', 'test', 'lint'] },
  completion: {
    paragraphs: [
      'Names of jails and banned addresses are asked of the daemon; when it is off, none are offered.',
    ],
  },
  ping: { seeAlso: ['status'] },
  version: { seeAlso: ['status'] },
};

export const CONFIGURATION_PROSE: readonly string[] = [
  'The configuration is written in TOML. What is wrong in it is named with file, line and column, all at once, by ' +
    'bailiff-check(8) and by the daemon; a reload with mistakes changes nothing.',
  'The jails that come along are read first, then bailiff.toml, then the files `*.toml` of the directory conf.d beside ' +
    'it, in the byte order of their names. Tables merge; any other value takes the place of the one before, a list as a ' +
    'whole.',
  'A length of time is a whole number of seconds, or a string such as `"90s"`, `"10m"`, `"1d12h"` or `"2w"`; where a ban ' +
    'may last for good, `"forever"`. A network is written as `"192.0.2.7"`, `"198.51.100.0/24"` or `"2001:db8::/32"`; names ' +
    'are never resolved.',
];

export const CONFIGURATION_EXAMPLE: readonly string[] = [
  '[trust]',
  'addresses = ["198.51.100.20"]',
  '',
  '[defaults]',
  'ban_time = "1h"',
  '',
  '[jail.sshd]',
  'max_retry = 3',
  '',
  '[jail.postfix]',
  'enabled = true',
  'ports = ["tcp/25", "tcp/465", "tcp/587"]',
];

export const FILTER_PROSE: readonly string[] = [
  'A filter says which lines of a service mean that somebody failed, and where in them the address stands. The name of ' +
    'the file, without .toml, is the name of the filter.',
  'An attacker writes part of almost every log line. So a rule stands for the whole message, from its first character ' +
    'to its last, and is refused when some line has two readings with different addresses; bailiff-lint(8) shows such a ' +
    'line. Each rule brings samples, lines that it must match and lines that it must not, which are tried whenever it is ' +
    'loaded.',
  'What `[jail]` says is the preset of the jail that has the name of the filter. It enables nothing: the jail is there ' +
    'when the configuration has `[jail.`*NAME*`]`. For a name in jails.toml, a filter in /etc/bailiff/filters comes before ' +
    'that file, key by key.',
];

export const TEMPLATE_SYNTAX: readonly Term[] = [
  ['*text*', 'Itself, character by character.'],
  ['`<`*type*`>`, `<`*type*`:`*name*`>`', 'A field; of those below.'],
  ['`<any!`*characters*`>`', 'A field of any text without these characters; likewise user, and with a name.'],
  ['`[`*text*`]`', 'May be absent.'],
  ['`{`*one*`|`*two*`}`', 'One of these.'],
  ['`\\`', 'Takes the meaning from one of `[ ] { } | < > \\`.'],
];

/** Types of fields, in the order of the page. */
export const FIELD_TYPES: Readonly<Record<string, string>> = {
  address: 'An IPv4 or IPv6 address. Written by the service.',
  peer: 'An address with or without a port: 192.0.2.1:22, [2001:db8::1]:22. Written by the service.',
  endpoint: 'An address with a port, also IPv6 without brackets. Written by the service.',
  public: 'An address that is neither private nor of the loopback network. Written by the service.',
  private: "An address in a private network, which is not the client's.",
  loopback: "An address of the loopback network, which is not the client's.",
  user: 'Any text, also none. Written by a client.',
  any: 'Any text, also none. Written by a client.',
  word: 'Text without white space. Written by a client.',
  quoted: 'Text in double quotes, with backslash escapes. Written by a client.',
  path: 'From a slash to the next white space. Written by a client.',
  name: "A word of the service's own, or a user that exists: letters, digits and _ . @ + - $ \\.",
  phrase: 'As name, and blanks, slashes, commas and apostrophes.',
  words: 'Words in any language: letters of any script, blanks, apostrophes and hyphens.',
  host: 'A host name, or an address that does not matter.',
  time: 'A date and time of day in one of the usual forms.',
  int: 'A whole number.',
  number: 'A number.',
  hex: 'Hexadecimal digits.',
  port: 'A port.',
  status: 'A status of three digits, as of HTTP.',
  fingerprint: 'The fingerprint of a key.',
  blank: 'White space.',
};

export const FILTER_EXAMPLE: readonly string[] = [
  'description = "The login of the shop"',
  'identifiers = ["shopd"]',
  '',
  '[jail]',
  'max_retry = 3',
  '',
  '[journal]',
  'units = ["shop.service"]',
  '',
  '[[rules]]',
  'name = "failed-login"',
  'template = "login of <user> failed: wrong password (<address>)"',
  'samples = [',
  '  { line = "login of carol failed: wrong password (203.0.113.9)", address = "203.0.113.9", user = "carol" },',
  '  { line = "login of carol succeeded (203.0.113.9)", match = false },',
  ']',
];
