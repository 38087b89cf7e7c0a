/**
 * Networks as expressions, for lines in which it depends on an address whether it is the client's: the roughly drawn
 * forms of addresses that the templates' fields capture. What was captured must then pass parseAddress.
 */

const MAPPED = '(?:::ffff:)?';
const REST4 = '\\.[\\d.]+';
const REST6 = '[0-9A-Fa-f]*:[0-9A-Fa-f:.]+';

/** 127.0.0.0/8 and ::1, which nobody from outside this host can come from. */
export const LOOPBACK = `(?:${MAPPED}127${REST4}|::1)`;

/** 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 (RFC 1918) and fc00::/7 (RFC 4193). */
export const PRIVATE = `(?:${MAPPED}(?:10|192\\.168|172\\.(?:1[6-9]|2\\d|3[01]))${REST4}|f[cd]${REST6})`;

/** Numbers of two or three digits but 10, 127, 172 and 192, and those of one digit: how public addresses begin. */
const FIRST_OCTET =
  '[1-9]|1[1-9]|[2-9]\\d|1[01]\\d|12[0-6]|12[89]|1[3-6]\\d|17[01]|17[3-9]|18\\d|19[01]|19[3-9]|2\\d\\d';
const BESIDE_172_16 = '172\\.(?:\\d|1[0-5]|3[2-9]|[4-9]\\d|1\\d\\d|2\\d\\d)';
const BESIDE_192_168 = '192\\.(?:\\d|\\d\\d|1[0-57-9]\\d|16[0-79]|2\\d\\d)';

/** An address in none of these networks; of IPv6 2000::/3, which is all that is given to hosts (RFC 4291). */
export const PUBLIC = `(?:${MAPPED}(?:${FIRST_OCTET}|${BESIDE_172_16}|${BESIDE_192_168})${REST4}|[23]${REST6})`;
