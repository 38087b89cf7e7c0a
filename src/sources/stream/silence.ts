/** How long a connection may go without a message before it is closed. */

export type SilenceLimits = {
  /** In place of FIRST_MESSAGE_TIMEOUT_MILLISECONDS. */
  readonly firstMessageTimeoutMilliseconds?: number;
  /** In place of IDLE_TIMEOUT_MILLISECONDS. */
  readonly idleTimeoutMilliseconds?: number;
};

/** A connection that has not completed a message by then is closed, whatever it has sent. */
export const FIRST_MESSAGE_TIMEOUT_MILLISECONDS = 5 * 60_000;

/**
 * One that has is kept for a day without another message: a client notices that it was closed only by losing its next
 * one, and a peer that is gone is found by keepalive.
 */
export const IDLE_TIMEOUT_MILLISECONDS = 24 * 60 * 60_000;

/** Connections are looked at so often in the shorter of the two. */
const LOOKS_PER_TIMEOUT = 8;

/** Whether a connection has been silent for too long, after as many messages. */
export function isSilent(limits: SilenceLimits, silenceMilliseconds: number, messages: number): boolean {
  const [first, later] = timeoutsOf(limits);
  return silenceMilliseconds > (messages === 0 ? first : later);
}

/** How often to look at all connections, in milliseconds. */
export function lookInterval(limits: SilenceLimits): number {
  return Math.ceil(Math.min(...timeoutsOf(limits)) / LOOKS_PER_TIMEOUT);
}

/** Milliseconds until the first message, and between messages. */
function timeoutsOf({
  firstMessageTimeoutMilliseconds: first = FIRST_MESSAGE_TIMEOUT_MILLISECONDS,
  idleTimeoutMilliseconds: later = IDLE_TIMEOUT_MILLISECONDS,
}: SilenceLimits): readonly [number, number] {
  return [first, later];
}
