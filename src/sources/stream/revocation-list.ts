/**
 * The serial numbers on revocation lists (RFC 5280 section 5.1), by the few rules of DER (X.690) that it takes. OpenSSL
 * has read the lists before, so nothing is explained here: what makes no sense ends the list.
 */

/** Of all lists in `pem`, whoever issued them. */
export function readRevokedSerials(pem: string): ReadonlySet<bigint> {
  const serials = new Set<bigint>();
  for (const [, body = ''] of pem.matchAll(PEM_LIST)) {
    for (const serial of serialsOf(Buffer.from(body, 'base64'))) serials.add(serial);
  }
  return serials;
}

const PEM_LIST = /-----BEGIN X509 CRL-----([^-]+)-----END X509 CRL-----/g;

/** Tags of X.690 section 8. */
const INTEGER = 0x02;
const SEQUENCE = 0x30;

/** One value: its tag, and where its contents are. */
type Element = { readonly tag: number; readonly start: number; readonly end: number };

function* serialsOf(der: Buffer): Generator<bigint> {
  const list = childrenOf(der, elementAt(der, 0, der.length)).next().value;
  for (const entry of list === undefined ? [] : childrenOf(der, revokedIn(der, list))) {
    const [serial] = childrenOf(der, entry);
    if (serial?.tag === INTEGER && serial.end > serial.start) yield integerAt(der, serial);
  }
}

/** In two's complement: a serial number may be negative, though it should not (RFC 5280 section 4.1.2.2). */
function integerAt(der: Buffer, { start, end }: Element): bigint {
  return BigInt.asIntN(8 * (end - start), BigInt(`0x${der.toString('hex', start, end)}`));
}

/**
 * `revokedCertificates` of a TBSCertList, or null: the third sequence, after `signature` and `issuer`. The version and
 * the times before it are none, and what follows it has a tag of its own.
 */
function revokedIn(der: Buffer, list: Element): Element | null {
  const sequences = [...childrenOf(der, list)].filter(({ tag }) => tag === SEQUENCE);
  return sequences[2] ?? null;
}

function* childrenOf(der: Buffer, parent: Element | null): Generator<Element, undefined> {
  let at = parent?.start ?? 0;
  const end = parent?.end ?? 0;
  while (at < end) {
    const child = elementAt(der, at, end);
    if (child === null) return;
    yield child;
    at = child.end;
  }
}

/** Null when there is none that ends by `end`. */
function elementAt(der: Buffer, at: number, end: number): Element | null {
  const first = der[at + 1] ?? 0;
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  const start = at + 2 + lengthBytes;
  if (lengthBytes > 4 || start > end) return null;
  const length = lengthBytes === 0 ? first : der.readUIntBE(at + 2, lengthBytes);
  return start + length > end ? null : { tag: der[at] ?? 0, start, end: start + length };
}
