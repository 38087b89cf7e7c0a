/**
 * A record: one message that some source has read, in the words of RFC 5424. All fields are always present, so that
 * every record has the same hidden class in V8 whatever its source.
 */
import type { Microseconds } from './time.ts';

/** Where a record came in. `file` covers standard input and every file that a tool reads. */
export type SourceKind = 'journal' | 'udp' | 'tcp' | 'tls' | 'unix' | 'file';

/** Who limits the rate of others' messages. */
export type Suppressor = 'journald' | 'rsyslog';

/**
 * The fields that journald itself has stamped on an entry (systemd.journal-fields(7), those that begin with `_`); for a
 * unix socket, the same of whoever wrote to it. Unlike the rest of an entry they cannot be written by its sender. A
 * missing field is '' and `uid` is -1 then.
 */
export type TrustedFields = {
  readonly unit: string;
  readonly executable: string;
  readonly uid: number;
};

/** As a container's engine names it; each '' where it does not. podman names no image. */
export type Container = { readonly id: string; readonly name: string; readonly image: string };

export type LogRecord = {
  /** When it arrived: at this program for a network source, at journald for an entry. Decides all windows. */
  readonly at: Microseconds;
  readonly source: SourceKind;
  /**
   * Who sent it: the peer's address (canonical text), or the name of a configured sender where its certificate or a
   * relay says who it is; '' for records of this host.
   */
  readonly sender: string;
  /** What the sender calls itself: a claim, for display only; '' when absent. */
  readonly hostname: string;
  /** APP-NAME, TAG or SYSLOG_IDENTIFIER; '' when absent. Chosen by whoever wrote the message. */
  readonly identifier: string;
  /** PROCID as text, '' when absent. */
  readonly pid: string;
  /** 0 to 23, or -1 when the message carries none. */
  readonly facility: number;
  /** 0 (emergency) to 7 (debug), or -1 when the message carries none. */
  readonly severity: number;
  /** The text, decoded as UTF-8; every byte of it may have been written by an attacker. */
  readonly message: string;
  /** The device's own time, or -1: for display, clock-skew, and to know a record that is delivered again. */
  readonly timestamp: Microseconds;
  /** For journal entries, and for what came at a unix socket from somebody who is not believed as it is. */
  readonly trusted: TrustedFields | null;
  /** STRUCTURED-DATA of RFC 5424 as it came, its elements in their brackets; '' where there is none. */
  readonly structuredData: string;
  /** Which connection of its listener it came over; 0 where there are none. */
  readonly connection: number;
  /** Of an entry that a container engine has written: whose line it is. Absent where it does not say. */
  readonly container?: Container;
  /** The identity of the relay that handed it on; absent from records that came straight from their sender. */
  readonly via?: string;
};

/**
 * What a cut message ends with. It stands where the rest of the text would be, so that a rule anchored at the end of
 * the line cannot be satisfied by an attacker who has the true end cut off.
 */
export const CUT_MARK = '…';

/**
 * Marks a message that went on where it was cut. An address there loses what is left of it: the beginning of
 * `203.0.113.77` may be somebody else's address. All of it goes however long it is, or the limit would be the place to
 * cut at.
 */
export function markCut(text: string): string {
  let end = text.length;
  while (end > 0 && isAddressCode(text.charCodeAt(end - 1))) end--;
  return text.slice(0, end) + CUT_MARK;
}

/** Digits, `:`, `.`, and A to F in either case. */
function isAddressCode(code: number): boolean {
  const letter = code | 0x20;
  return (code >= 0x30 && code <= 0x3a) || code === 0x2e || (letter >= 0x61 && letter <= 0x66);
}

/** A record of which nothing is known but its text, such as a line of a file. */
export function bareRecord(message: string, at: Microseconds): LogRecord {
  return {
    at,
    source: 'file',
    sender: '',
    hostname: '',
    identifier: '',
    pid: '',
    facility: -1,
    severity: -1,
    message,
    timestamp: -1,
    trusted: null,
    structuredData: '',
    connection: 0,
  };
}
