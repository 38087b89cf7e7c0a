/**
 * Addresses and networks as canonical text. One spelling per address (dotted quad, RFC 5952), so that text equality
 * is address equality, and always newly built, so that a stored address never keeps a log line alive (V8 substrings
 * pin their parent: 277 bytes a key against 42).
 */

/** A single host: `203.0.113.9` or `2001:db8::1`. */
export type Address = string;

/** A host or a network: an Address, or one with a prefix length shorter than the family's, `2001:db8::/64`. */
export type Network = string;

export type Family = 4 | 6;

/** The longest text that can be an address: eight groups of four, or a mapped IPv4 address written in full. */
export const MAX_ADDRESS_LENGTH = 45;

const ADDRESS_BITS: Readonly<Record<Family, number>> = { 4: 32, 6: 128 };

/** The family of a canonical address or network. */
export function familyOf(network: Network): Family {
  return network.includes(':') ? 6 : 4;
}

/** How many bits an address of the family has. */
export function bitsOf(family: Family): number {
  return ADDRESS_BITS[family];
}

/**
 * Reads one address, strictly: four decimal octets without leading zeros, or IPv6 as in RFC 4291 section 2.2. A mapped
 * address (`::ffff:192.0.2.1`) is folded to IPv4, a zone id (`%eth0`) is dropped. Short, octal and hexadecimal IPv4
 * spellings are refused, since programs disagree about what they mean. Returns null for everything else.
 */
export function parseAddress(text: string): Address | null {
  const zone = text.indexOf('%');
  const end = zone < 0 ? text.length : zone;
  if (end < 2 || end > MAX_ADDRESS_LENGTH) return null;
  const colon = text.indexOf(':');
  if (colon < 0 || colon >= end) {
    if (zone >= 0) return null;
    const octets = parseOctets(text, 0, end);
    return octets < 0 ? null : formatOctets(octets);
  }
  if (zone >= 0 && !/^%[\w.~-]{1,32}$/.test(text.slice(zone))) return null;
  const groups = parseGroups(text, end);
  return groups === null ? null : formatGroups(groups);
}

/**
 * Reads an address or a network in CIDR notation and clears the host bits: `203.0.113.77/24` gives `203.0.113.0/24`,
 * `192.0.2.1/32` gives `192.0.2.1`. Returns null for anything else.
 */
export function parseNetwork(text: string): Network | null {
  const slash = text.indexOf('/');
  if (slash < 0) return parseAddress(text);
  const length = text.slice(slash + 1);
  if (!/^(?:0|[1-9]\d{0,2})$/.test(length)) return null;
  const address = parseAddress(text.slice(0, slash));
  if (address === null || Number(length) > bitsOf(familyOf(address))) return null;
  return maskAddress(address, Number(length));
}

/** The network of `prefixLength` bits that holds `address`; the address itself when that is all of its bits. */
export function maskAddress(address: Address, prefixLength: number): Network {
  const family = familyOf(address);
  if (prefixLength >= bitsOf(family)) return address;
  if (family === 4) {
    const mask = prefixLength === 0 ? 0 : (0xffffffff << (32 - prefixLength)) >>> 0;
    return `${formatOctets((parseOctets(address, 0, address.length) & mask) >>> 0)}/${prefixLength}`;
  }
  const groups = parseGroups(address, address.length) ?? [];
  const masked = groups.map((group, index) => {
    const kept = Math.min(16, Math.max(0, prefixLength - index * 16));
    return group & (0xffff << (16 - kept)) & 0xffff;
  });
  return `${formatGroups(masked)}/${prefixLength}`;
}

/** Splits a network into its first address and its prefix length. */
export function splitNetwork(network: Network): { readonly address: Address; readonly prefixLength: number } {
  const slash = network.indexOf('/');
  if (slash < 0) return { address: network, prefixLength: bitsOf(familyOf(network)) };
  return { address: network.slice(0, slash), prefixLength: Number(network.slice(slash + 1)) };
}

/** Four decimal octets in text[start, end) as a 32-bit number, or -1. */
function parseOctets(text: string, start: number, end: number): number {
  let value = 0;
  let octet = -1;
  let count = 1;
  for (let index = start; index < end; index++) {
    const code = text.charCodeAt(index);
    if (code === 46) {
      if (octet < 0 || count === 4) return -1;
      value = value * 256 + octet;
      octet = -1;
      count++;
    } else if (code >= 48 && code <= 57) {
      if (octet === 0) return -1;
      octet = octet < 0 ? code - 48 : octet * 10 + (code - 48);
      if (octet > 255) return -1;
    } else return -1;
  }
  return octet < 0 || count !== 4 ? -1 : value * 256 + octet;
}

function formatOctets(value: number): string {
  return `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`;
}

/** The eight groups of text[0, end), or null. */
function parseGroups(text: string, end: number): number[] | null {
  const halves = text.slice(0, end).split('::');
  if (halves.length > 2) return null;
  const head = parseGroupList(halves[0] ?? '', halves.length === 1);
  const tail = halves.length === 2 ? parseGroupList(halves[1] ?? '', true) : [];
  if (head === null || tail === null) return null;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return null;
  return [...head, ...new Array<number>(missing).fill(0), ...tail];
}

/** Groups between single colons; the last may be a dotted quad where `isLast`, the end of the address, allows it. */
function parseGroupList(text: string, isLast: boolean): number[] | null {
  if (text === '') return [];
  const groups: number[] = [];
  const words = text.split(':');
  for (const [index, word] of words.entries()) {
    if (/^[0-9a-fA-F]{1,4}$/.test(word)) {
      groups.push(Number.parseInt(word, 16));
    } else if (isLast && index === words.length - 1) {
      const octets = parseOctets(word, 0, word.length);
      if (octets < 0) return null;
      groups.push(octets >>> 16, octets & 0xffff);
    } else return null;
  }
  return groups;
}

/** RFC 5952: lower case, no leading zeros, the first longest run of two or more zero groups as `::`. */
function formatGroups(groups: readonly number[]): Address {
  const mapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (mapped) return formatOctets((((groups[6] ?? 0) << 16) | (groups[7] ?? 0)) >>> 0);
  let start = -1;
  let length = 1;
  for (let index = 0; index < 8; index++) {
    let run = 0;
    while (index + run < 8 && groups[index + run] === 0) run++;
    if (run > length) [start, length] = [index, run];
    index += run;
  }
  const words = groups.map((group) => group.toString(16));
  if (start < 0) return words.join(':');
  return `${words.slice(0, start).join(':')}::${words.slice(start + length).join(':')}`;
}
