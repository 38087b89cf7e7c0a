/** The keys of [[sender]]: one host or network that sends us syslog, and how far it is believed. */
import * as z from 'zod/mini';
import { MAX_DURATION, type Microseconds, parseDuration, SECOND } from '../../core/time.ts';
import type { Dialect } from '../../syslog/header.ts';
import { converted, count, flag, key, listOf, name, networks, oneOf, table } from './values.ts';

/** Senders in one configuration; each is a label of several metrics. */
export const MAX_SENDERS = 250;
/** Names in certificates of one sender. */
export const MAX_CERTIFICATE_NAMES = 64;
/** Jails that one sender is held to. */
export const MAX_SENDER_JAILS = 500;

/** What a burst is where only the rate is said: that many seconds' worth. */
export const DEFAULT_BURST_SECONDS = 10;

const MAX_RATE = 1_000_000;

/** A record, so that the type checker asks for a dialect that is new. */
const DIALECTS: Readonly<Record<Dialect, true>> = {
  rfc5424: true,
  rfc3164: true,
  'iso-time': true,
  'no-hostname': true,
  'no-time': true,
  'no-tag': true,
  'no-pri': true,
  cisco: true,
  routeros: true,
  unifi: true,
  cef: true,
  leef: true,
  raw: true,
};
const [FIRST_DIALECT, ...OTHER_DIALECTS] = Object.keys(DIALECTS) as [Dialect, ...Dialect[]];

/** For [syslog] and [[sender]] alike. */
export const senderConfidence = oneOf('full', 'low');
export const messagesPerSecond = count(1, MAX_RATE);
export const burstMessages = count(1, MAX_RATE * DEFAULT_BURST_SECONDS);

const CERTIFICATE_EXPECTED = 'expected a name as certificates have it, such as "nas1.example.net"';

const certificateNames = listOf(
  converted(z.string({ error: CERTIFICATE_EXPECTED }), CERTIFICATE_EXPECTED, (text) =>
    /^[\x21-\x7e][\x20-\x7e]{0,252}$/.test(text) ? text.toLowerCase() : null,
  ),
  `expected a list of at most ${MAX_CERTIFICATE_NAMES} names such as ["nas1.example.net"]`,
  MAX_CERTIFICATE_NAMES,
);

/** What a sender sends is told once a second: a shorter silence could not be seen. */
const SHORTEST_SILENCE: Microseconds = 5 * SECOND;
const SILENCE_EXPECTED = 'expected "learned", "off" or a length of time from 5s such as "15m" or "1d"';

const silence = converted(
  z.union([z.string(), z.int()], { error: SILENCE_EXPECTED }),
  SILENCE_EXPECTED,
  (value): Microseconds | 'learned' | 'off' | null => {
    if (value === 'learned' || value === 'off') return value;
    const length = parseDuration(value);
    return length === null || length < SHORTEST_SILENCE || length > MAX_DURATION ? null : length;
  },
);

const sender = table({
  name: key(name, {
    description: 'What the sender is called here, in the metrics and in the list of senders. Unique.',
    examples: ['nas1'],
  }),
  addresses: key(z.prefault(networks, []), {
    description:
      'Addresses and networks that it sends from. They may send whatever `senders` in [syslog] says; of several ' +
      'senders whose networks hold an address, the one with the longest prefix has it.',
    examples: [['192.168.1.10'], ['2001:db8:5::/64']],
  }),
  certificates: key(z.prefault(certificateNames, []), {
    description:
      'Names in its certificate (its DNS names, or the common name when it has none), by which it is known over TLS ' +
      'from any address. Needs `client_ca` in [syslog.tls_server].',
    examples: [['nas1']],
  }),
  transports: key(
    z.prefault(
      listOf(oneOf('udp', 'tcp', 'tls'), 'expected a list of 1 to 3 of "udp", "tcp" and "tls"', 3).check(
        z.minLength(1),
      ),
      ['udp', 'tcp', 'tls'],
    ),
    {
      description:
        'What it may send over. With ["tls"] nobody who forges its address over UDP is heard as this sender.',
      examples: [['tls']],
    },
  ),
  relay: key(z.prefault(flag, false), {
    description:
      'Whether it hands on the messages of other hosts. A message then is of the configured sender that its host ' +
      'field names, by address, name or certificate name; of the relay itself when there is none. The relay must ' +
      'write that field itself.',
    examples: [true],
  }),
  dialect: key(z.optional(oneOf(FIRST_DIALECT, ...OTHER_DIALECTS)), {
    description:
      'What its messages look like; another form raises an event. Default: whatever it begins with.',
    examples: ['rfc5424'],
  }),
  jails: key(
    z.optional(
      listOf(
        name,
        `expected a list of at most ${MAX_SENDER_JAILS} jail names such as ["sshd"]`,
        MAX_SENDER_JAILS,
      ),
    ),
    {
      description:
        'Jails that its records may feed; an empty list for none: it is heard and shown, and bans nobody. ' +
        'Default: all.',
      examples: [['sshd']],
    },
  ),
  confidence: key(z.optional(senderConfidence), {
    description:
      'How far its records are believed: "full", or "low": its failures count, but a ban needs a last one of full ' +
      'confidence. Default: over UDP `udp_confidence` of [syslog], else "full".',
    examples: ['low'],
  }),
  max_messages_per_second: key(z.optional(messagesPerSecond), {
    description:
      'Messages in a second over each transport, from all of its addresses; those beyond are dropped and counted. ' +
      'Default: as in [syslog].',
    examples: [500],
    unit: 'messages per second',
  }),
  burst_messages: key(z.optional(burstMessages), {
    description: `Messages that may come at once. Default: ${DEFAULT_BURST_SECONDS} seconds' worth.`,
    examples: [5_000],
    unit: 'messages',
  }),
  silent_after: key(z.prefault(silence, 'learned'), {
    description:
      'How long it may say nothing before that is told: "learned" for several times its longest usual silence, ' +
      '"off" for ever, or a length of time.',
    examples: ['learned', '15m', 'off'],
    unit: 'duration, or seconds',
  }),
  old_records: key(z.prefault(oneOf('count', 'ignore'), 'count'), {
    description:
      'What becomes of failures that are more than a day old by the clock of the sender: "count" them, as if they had ' +
      'happened now, or "ignore" them, for one that sends its old messages again when it starts. Default: "count", ' +
      'since a device whose clock is wrong must not go uncounted.',
    examples: ['ignore'],
  }),
  trusted: key(z.optional(flag), {
    description:
      'Whether its addresses can never be banned, as if they were in [trust]. Default: true for single addresses, ' +
      'false for networks.',
    examples: [true],
  }),
});

export const senders = listOf(
  sender,
  `expected at most ${MAX_SENDERS} tables such as [[sender]]`,
  MAX_SENDERS,
);

export type SenderSettings = z.output<typeof sender>;
