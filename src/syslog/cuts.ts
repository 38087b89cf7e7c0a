/**
 * Lengths at which syslog is cut without a word. A datagram that has one of them has most likely lost its end, and with
 * it what its service wrote last: it is read as a cut one.
 */

const CUT_LENGTHS: ReadonlySet<number> = new Set([
  /** FreeBSD's syslogd over IPv4, and so pfSense (iovlist_truncate in its syslogd.c). */
  480,
  /** RFC 3164 section 4.1, which relays keep to; musl's syslog(), whose last byte is a LF. */
  1_024,
  /** FreeBSD's syslogd over IPv6. */
  1_180,
  /** RFC 5424 section 6.1, and nginx's error log (NGX_MAX_ERROR_STR, with its header). */
  2_048,
]);

/** Whether a datagram of so many bytes has to be taken for a cut one. */
export function isCutLength(bytes: number): boolean {
  return CUT_LENGTHS.has(bytes);
}
