/**
 * Every key of a filter file, once: its type, default, meaning and an example. Validation, the JSON schema for editors
 * and the manual all come from here.
 */
import * as z from 'zod/mini';
import { parseAddress } from '../../core/address/address.ts';
import { MAX_WEIGHT } from '../../match/filter.ts';
import { toJsonSchema } from '../schema/json-schema.ts';
import { policy } from '../schema/settings.ts';
import { count, flag, key, listOf, oneOf, table } from '../schema/values.ts';

/** Rules of one filter. */
export const MAX_RULES = 200;
/** Samples of one rule. */
export const MAX_SAMPLES = 200;
/** Characters of a pattern's text. */
export const MAX_PATTERN_LENGTH = 4_000;
/** Characters of a sample's line: longer than any message by default. */
export const MAX_SAMPLE_LENGTH = 65_536;
/** Identifiers, units, executables or uids that one filter names. */
export const MAX_INPUT_NAMES = 100;

/** The chapters of etc/jails.toml, in its order. */
export const JAIL_GROUPS = [
  'mail',
  'ftp',
  'web',
  'applications',
  'logins',
  'databases',
  'name-servers',
  'vpn',
  'chat',
  'firewalls',
  'devices',
  'other',
] as const;

const text = (expected: string, most: number) =>
  z.string({ error: `expected ${expected}` }).check(z.minLength(1), z.maxLength(most));

const word = text('a word of 1 to 256 characters', 256);
const words = (expected: string) => z.prefault(listOf(word, expected, MAX_INPUT_NAMES), []);
const patternText = text(`a pattern of 1 to ${MAX_PATTERN_LENGTH} characters`, MAX_PATTERN_LENGTH);
const line = () => text(`a line of 1 to ${MAX_SAMPLE_LENGTH} characters`, MAX_SAMPLE_LENGTH);

const ADDRESS_EXPECTED = 'expected an address such as "203.0.113.9" or "2001:db8::1"';

const sample = table({
  line: key(line(), {
    description: 'The message, from its first character to its last.',
    examples: ['Failed password for root from 203.0.113.9 port 4711 ssh2'],
  }),
  match: key(z.prefault(flag, true), {
    description: 'Whether the rule must match the line, or must not.',
    examples: [false],
  }),
  address: key(
    z.prefault(
      z
        .string({ error: ADDRESS_EXPECTED })
        .check(z.refine((address: string) => address === '' || isCanonical(address))),
      '',
    ),
    {
      description: 'The address that must be found, in its canonical form; empty when there must be none.',
      examples: ['203.0.113.9', '2001:db8::1'],
    },
  ),
  user: key(z.prefault(z.string({ error: 'expected a string' }), ''), {
    description: 'The user that must be found; empty when there must be none.',
    examples: ['root'],
  }),
  before: key(z.prefault(listOf(line(), 'expected a list of lines', MAX_SAMPLES), []), {
    description: 'Lines of the same session that came earlier.',
    examples: [['Connection from 203.0.113.9 port 4711']],
  }),
});

const ruleName = () =>
  z
    .string({ error: 'expected 1 to 64 of a-z, 0-9 and -, beginning with a letter or a digit' })
    .check(z.regex(/^[a-z0-9][a-z0-9-]{0,63}$/));

const rule = table({
  name: key(ruleName(), {
    description: 'The name of the rule, once in a filter. Matches are told by it.',
    examples: ['failed-password'],
  }),
  kind: key(z.prefault(oneOf('failure', 'success', 'ignore', 'note'), 'failure'), {
    description:
      'What a match is: failure, which is counted; success; ignore, by which the line counts for nothing, ' +
      'whatever other rules say; note, which is only shown.',
    examples: ['success'],
  }),
  mode: key(z.prefault(oneOf('normal', 'extra', 'aggressive'), 'normal'), {
    description:
      "From which mode of a jail on the rule applies; a jail's mode takes the narrower ones along.",
    examples: ['aggressive'],
  }),
  weight: key(z.prefault(count(1, MAX_WEIGHT), 1), {
    description: 'How many failures a match counts for.',
    examples: [3],
    unit: 'failures',
  }),
  labels: key(words('expected a list of words such as ["brute-force"]'), {
    description: 'Words for whoever reads the events; they mean nothing here.',
    examples: [['brute-force']],
  }),
  template: key(z.optional(patternText), {
    description: 'The pattern as a template, for the whole message. A rule has one pattern.',
    examples: ['Failed password for <user> from <address> port <port> ssh2'],
  }),
  regex: key(z.optional(patternText), {
    description:
      'The pattern as a regular expression with the groups (?<address>...) and (?<user>...), from ^ to $. ' +
      'Lookaround, backreferences and large counts are refused.',
    examples: ['^login failed for (?<user>[a-z]+) from (?<address>[0-9A-Fa-f:.]+)$'],
  }),
  json: key(z.optional(z.unknown()), {
    description:
      'The pattern for a message that is one JSON object: a table of its fields, each a template, ' +
      '{ regex = "..." } or plain values; nested tables, and dots, go deeper; a field with ? may be absent.',
    examples: [{ msg: 'login failed', 'request.remote_ip': '<address>', 'user?': '<user>' }],
  }),
  access: key(z.optional(z.unknown()), {
    description:
      'The pattern for a line of an access log in the common or combined format: a table of its fields, as in json.',
    examples: [{ status: [401, 403], path: '/login<any>' }],
  }),
  structured_data: key(z.optional(z.unknown()), {
    description:
      'The pattern for the STRUCTURED-DATA of RFC 5424: a table of its parameters as in json, each by its SD-ID and ' +
      'name with a dot between; message is the text behind. In samples, line begins with the brackets.',
    examples: [{ 'login@32473.ip': '<address>', 'login@32473.user?': '<user>', message: 'login failed' }],
  }),
  attempt: key(z.optional(oneOf('start', 'result', 'end')), {
    description:
      'Where the line stands in an attempt to log in that several lines report; the attempt then counts once. ' +
      'Default: each line is an attempt of its own.',
    examples: ['result'],
  }),
  remember: key(z.prefault(flag, false), {
    description: 'Whether address and user are kept for later lines of the session.',
    examples: [true],
  }),
  after: key(z.prefault(listOf(ruleName(), 'expected a list of rule names', MAX_RULES), []), {
    description: 'Rules with remember = true, one of which must have matched earlier in the session.',
    examples: [['connection']],
  }),
  samples: key(
    z.prefault(
      listOf(
        sample,
        'expected a list of { line = "...", address = "..." } and { line = "...", match = false }',
        MAX_SAMPLES,
      ),
      [],
    ),
    {
      description:
        'Lines that the rule is held against when it is loaded: at least one that it matches, and one that it does not.',
    },
  ),
});

const jail = table({
  group: key(z.prefault(oneOf(...JAIL_GROUPS), 'other'), {
    description: 'The chapter of jails.toml that the jail stands in; it means nothing else.',
    examples: ['web'],
  }),
  caution: key(z.prefault(z.string({ error: 'expected a string' }).check(z.maxLength(200)), ''), {
    description: 'What whoever enables the jail should know; it stands above the jail in jails.toml.',
    examples: ['The source of a single packet can be made up.'],
  }),
  find_time: policy.find_time.own,
  max_retry: policy.max_retry.own,
  ban_time: policy.ban_time.own,
  mode: policy.mode.own,
});

export const filterSchema = table({
  description: key(z.prefault(z.string({ error: 'expected a string' }).check(z.maxLength(1_000)), ''), {
    description: 'Which service this is.',
    examples: ['vsftpd FTP server'],
  }),
  imported: key(z.prefault(flag, false), {
    description:
      'Whether the rules were imported from another program: they then need no samples, and a rule with two ' +
      'readings loads with a warning.',
    examples: [true],
  }),
  identifiers: key(
    z.prefault(
      listOf(
        z.union([word, z.literal('')]),
        'expected a list of identifiers such as ["sshd"]',
        MAX_INPUT_NAMES,
      ),
      [],
    ),
    {
      description:
        "Which records the filter reads: syslog's tag (APP-NAME of RFC 5424, SYSLOG_IDENTIFIER of the journal), " +
        'exact, or with a * at its end; "" stands for records without one.',
      examples: [['sshd', 'sshd-session']],
    },
  ),
  jail: key(z.optional(jail), {
    description:
      'What a jail of the name of the filter is, as far as [jail.NAME] of the configuration does not say otherwise. ' +
      'It enables no jail.',
  }),
  journal: key(
    z.prefault(
      table({
        uids: key(
          z.prefault(
            listOf(count(0, 4_294_967_294), 'expected a list of user ids such as [0]', MAX_INPUT_NAMES),
            [],
          ),
          { description: 'User ids that the service runs as.', examples: [[0]] },
        ),
        units: key(words('expected a list of units such as ["ssh.service"]'), {
          description: 'Units of the service; a * stands for the name of an instance.',
          examples: [['ssh.service', 'ssh@*.service']],
        }),
        executables: key(words('expected a list of paths such as ["/usr/sbin/sshd"]'), {
          description:
            'Executables of the service; they count only where a system user (uid below 1000) runs them.',
          examples: [['/usr/sbin/sshd']],
        }),
        containers: key(
          z.optional(listOf(word, 'expected a list of names such as ["*vaultwarden*"]', MAX_INPUT_NAMES)),
          {
            description:
              'Names or images of containers, with * for any text, whose lines the filter reads by the hand of a ' +
              'container engine of this host, besides those of containers that are called like one of the ' +
              'identifiers. An empty list: those of no container at all, for services of the host itself.',
            examples: [['*vaultwarden*']],
          },
        ),
      }),
      {},
    ),
    {
      description:
        'By what an entry of the journal is believed: any local user can write any identifier, so an entry ' +
        'counts only when one of these fields, which journald stamps itself, is right as well.',
    },
  ),
  rules: key(listOf(rule, `expected 1 to ${MAX_RULES} tables [[rules]]`, MAX_RULES).check(z.minLength(1)), {
    description: 'The rules, each as [[rules]].',
  }),
});

export type RuleSettings = z.output<typeof rule>;

/** JSON Schema (draft 2020-12) of a filter file. */
export function filterJsonSchema(): Record<string, unknown> {
  return toJsonSchema(filterSchema, 'Filter of bailiff');
}

function isCanonical(address: string): boolean {
  return parseAddress(address) === address;
}
