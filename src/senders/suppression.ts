/**
 * What a relay says it has dropped before anything came to us: rsyslog's word of its rate limit, as its message 2177
 * of 8.2302 (Debian 12) has it. It comes through rsyslog's own forwarding with `processInternalMessages="on"`, else
 * through the journal.
 */

/** What names the message, with the number of rsyslog's error behind. */
export const SUPPRESSION_IDENTIFIER = 'rsyslogd-2177';

export type Suppression = {
  /** The input that dropped it: `imuxsock`, `imudp`, `tcpserver`. */
  readonly input: string;
  readonly count: number;
};

/**
 * `imudp(127.0.0.1/514/IPv4): 90 messages lost due to rate-limiting (10 allowed within 2 seconds)`. In front there may
 * be the name of a program of the sender's host: the end counts.
 */
const LOST =
  /^([a-z]{1,16})\b.*: (\d{1,9}) messages lost due to rate-limiting \(\d{1,9} allowed within \d{1,9} seconds\)$/;

/** The inputs of rsyslog that have a limit; its TCP server calls itself so. */
const INPUTS: ReadonlyMap<string, string> = new Map(
  ['imuxsock', 'imudp', 'imtcp', 'imptcp', 'imrelp', 'imjournal', 'imklog', 'imfile'].map((name) => [
    name,
    name,
  ]),
).set('tcperver', 'imtcp');

/** Null when the message says something else. */
export function readSuppression(message: string): Suppression | null {
  const found = LOST.exec(message);
  const count = Number(found?.[2] ?? 0);
  return count === 0 ? null : { input: INPUTS.get(found?.[1] ?? '') ?? 'an input', count };
}
