/**
 * Questions to nftables in netlink messages, and the answers taken apart. Pure, on bytes. Numbers and layouts are those
 * of linux/netlink.h, linux/netfilter/nfnetlink.h and linux/netfilter/nf_tables.h; comments are those of libnftnl's
 * udata.h. Headers are in the byte order of the machine, which is little-endian on both that we ship for.
 */
import { parseAddress } from '../core/address/address.ts';
import { FOREVER, MILLISECOND, type Microseconds } from '../core/time.ts';
import type { KernelElement, SetCounter } from './firewall.ts';
import type { BanSet } from './layout.ts';

const NFNL_SUBSYS_NFTABLES = 10;
const NFPROTO_INET = 1;
const NLM_F_REQUEST = 0x1;
const NLM_F_DUMP_INTR = 0x10;
const NLM_F_DUMP = 0x300;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const MESSAGE_HEADER_BYTES = 16;
const HEADER_BYTES = MESSAGE_HEADER_BYTES + 4;
const ATTRIBUTE_HEADER_BYTES = 4;
/** NLA_F_NESTED and NLA_F_NET_BYTEORDER are flags in the type. */
const ATTRIBUTE_TYPE_MASK = 0x3fff;

/** NFT_MSG_GET*, with the attributes that name the table and what in it (1 and 2, or 3 for a chain). */
const QUESTIONS = {
  chain: { type: 4, dump: false, nameAttribute: 3 },
  rules: { type: 7, dump: true, nameAttribute: 2 },
  sets: { type: 10, dump: true, nameAttribute: 2 },
  elements: { type: 13, dump: true, nameAttribute: 2 },
  generation: { type: 16, dump: false, nameAttribute: 2 },
  counters: { type: 19, dump: true, nameAttribute: 2 },
} as const;

export type Question = keyof typeof QUESTIONS;

/** One message of an answer. */
export type Reply =
  | { readonly kind: 'data'; readonly interrupted: boolean; readonly attributes: Attributes }
  /** The end of a dump. */
  | { readonly kind: 'done'; readonly interrupted: boolean }
  /** The kernel's word on a request, as a positive errno; 0 for an acknowledgement. */
  | { readonly kind: 'error'; readonly errno: number };

/** Attributes by their type, each still in the buffer that it was received in. */
export type Attributes = ReadonlyMap<number, Uint8Array>;

/** Whether the answer is a dump, which ends by a `done`; otherwise it is one message. */
export function isDump(question: Question): boolean {
  return QUESTIONS[question].dump;
}

/** Encodes a question about a table, and about what is called `name` in it; '' for everything, or nothing. */
export function encodeQuestion(
  question: Question,
  table: string,
  name: string,
  sequence: number,
): Uint8Array {
  const { type, dump, nameAttribute } = QUESTIONS[question];
  const attributes = question === 'generation' ? [] : [textAttribute(1, table)];
  if (name !== '') attributes.push(textAttribute(nameAttribute, name));
  const length = attributes.reduce((total, attribute) => total + attribute.length, HEADER_BYTES);
  const message = new Uint8Array(length);
  const view = new DataView(message.buffer);
  view.setUint32(0, length, true);
  view.setUint16(4, (NFNL_SUBSYS_NFTABLES << 8) | type, true);
  view.setUint16(6, NLM_F_REQUEST | (dump ? NLM_F_DUMP : 0), true);
  view.setUint32(8, sequence, true);
  message[MESSAGE_HEADER_BYTES] = question === 'generation' ? 0 : NFPROTO_INET;
  let offset = HEADER_BYTES;
  for (const attribute of attributes) {
    message.set(attribute, offset);
    offset += attribute.length;
  }
  return message;
}

/** The messages of a datagram that answer `sequence`. */
export function* decodeReplies(datagram: Uint8Array, sequence: number): Generator<Reply> {
  const view = viewOf(datagram);
  let offset = 0;
  while (offset + MESSAGE_HEADER_BYTES <= datagram.length) {
    const length = view.getUint32(offset, true);
    const end = offset + length;
    if (length < MESSAGE_HEADER_BYTES || end > datagram.length) return;
    if (view.getUint32(offset + 8, true) === sequence) yield decodeReply(datagram.subarray(offset, end));
    offset = aligned(end);
  }
}

/** The ruleset's generation, which every transaction on the machine raises by one. */
export function decodeGeneration(attributes: Attributes): number {
  const value = attributes.get(1);
  return value === undefined ? 0 : viewOf(value).getUint32(0, false);
}

/** The name of a set: NFTA_SET_NAME. */
export function decodeSetName(attributes: Attributes): string {
  return textOf(attributes.get(2));
}

/** A named counter: NFTA_OBJ_NAME and NFTA_OBJ_DATA; null for an object of another type. */
export function decodeCounter(attributes: Attributes): SetCounter | null {
  const type = attributes.get(3);
  const data = attributes.get(4);
  if (type === undefined || data === undefined || viewOf(type).getUint32(0, false) !== 1) return null;
  return { set: textOf(attributes.get(2)), ...decodeCounterData(data) };
}

/**
 * The elements of one message of a dump (NFTA_SET_ELEM_LIST_ELEMENTS), appended to `elements`; those of another shape
 * are left out. Reads at offsets instead of building attributes: a listing has a hundred thousand of them.
 */
export function decodeElements(attributes: Attributes, set: BanSet, elements: KernelElement[]): void {
  const list = attributes.get(3);
  if (list === undefined) return;
  const view = viewOf(list);
  let offset = 0;
  while (offset + ATTRIBUTE_HEADER_BYTES <= list.length) {
    const length = view.getUint16(offset, true);
    if (length < ATTRIBUTE_HEADER_BYTES || offset + length > list.length) return;
    const element = decodeElement(view, offset + ATTRIBUTE_HEADER_BYTES, offset + length, set);
    if (element !== null) elements.push(element);
    offset = aligned(offset + length);
  }
}

function decodeReply(message: Uint8Array): Reply {
  const view = viewOf(message);
  const type = view.getUint16(4, true);
  const interrupted = (view.getUint16(6, true) & NLM_F_DUMP_INTR) !== 0;
  if (type === NLMSG_ERROR) return { kind: 'error', errno: -view.getInt32(MESSAGE_HEADER_BYTES, true) };
  if (type === NLMSG_DONE) {
    const result = message.length >= HEADER_BYTES ? view.getInt32(MESSAGE_HEADER_BYTES, true) : 0;
    return result < 0 ? { kind: 'error', errno: -result } : { kind: 'done', interrupted };
  }
  return { kind: 'data', interrupted, attributes: new Map(attributesOf(message, HEADER_BYTES)) };
}

/** NFTA_SET_ELEM_KEY 1, EXPIRATION 5, USERDATA 6, EXPR 7, EXPRESSIONS 11 with NFTA_LIST_ELEM 1; each nested. */
function decodeElement(view: DataView, start: number, end: number, set: BanSet): KernelElement | null {
  let key: string | null = null;
  let expires: Microseconds = FOREVER;
  let comment = '';
  let counter = NO_COUNT;
  for (let at = start; at + ATTRIBUTE_HEADER_BYTES <= end; ) {
    const length = view.getUint16(at, true);
    if (length < ATTRIBUTE_HEADER_BYTES || at + length > end) return null;
    const value = at + ATTRIBUTE_HEADER_BYTES;
    const type = view.getUint16(at + 2, true) & ATTRIBUTE_TYPE_MASK;
    if (type === 1) key = decodeKey(view, value + ATTRIBUTE_HEADER_BYTES, at + length, set);
    else if (type === 5 && length >= 12) expires = readUint64(view, value) * MILLISECOND;
    else if (type === 6) comment = decodeComment(bytesOf(view, value, at + length));
    else if (type === 7) counter = decodeCounterData(nested(bytesOf(view, value, at + length), 2));
    else if (type === 11) {
      counter = decodeCounterData(nested(bytesOf(view, value + ATTRIBUTE_HEADER_BYTES, at + length), 2));
    }
    at = aligned(at + length);
  }
  return key === null ? null : { set: set.name, key, expires, comment, ...counter };
}

const NO_COUNT = { packets: 0, bytes: 0 };

/** An address, or an address, a protocol and a port, each padded to four bytes. */
function decodeKey(view: DataView, start: number, end: number, set: BanSet): string | null {
  const addressEnd = start + (set.family === 4 ? 4 : 16);
  if (end !== addressEnd + (set.scoped ? 8 : 0)) return null;
  const address = set.family === 4 ? formatOctets(view, start) : formatGroups(view, start);
  if (address === null || !set.scoped) return address;
  const protocol = PROTOCOLS.get(view.getUint8(addressEnd));
  return protocol === undefined
    ? null
    : `${address} . ${protocol} . ${view.getUint16(addressEnd + 4, false)}`;
}

function formatOctets(view: DataView, start: number): string {
  const octets = [0, 1, 2, 3].map((index) => view.getUint8(start + index));
  return octets.join('.');
}

/** Numbers of the Internet protocols (IANA). */
const PROTOCOLS: ReadonlyMap<number, string> = new Map([
  [6, 'tcp'],
  [17, 'udp'],
]);

function formatGroups(view: DataView, start: number): string | null {
  let text = view.getUint16(start, false).toString(16);
  for (let index = 2; index < 16; index += 2) text += `:${view.getUint16(start + index, false).toString(16)}`;
  const address = parseAddress(text);
  return address?.includes(':') === true ? address : null;
}

/** NFTNL_UDATA_SET_ELEM_COMMENT: type 0, a length, and text that ends by a NUL. */
function decodeComment(userData: Uint8Array | undefined): string {
  if (userData === undefined) return '';
  let offset = 0;
  while (offset + 2 <= userData.length) {
    const end = offset + 2 + (userData[offset + 1] ?? 0);
    if (userData[offset] === 0) return textOf(userData.subarray(offset + 2, end));
    offset = end;
  }
  return '';
}

/** NFTA_COUNTER_BYTES 1, NFTA_COUNTER_PACKETS 2. */
function decodeCounterData(data: Uint8Array | undefined): {
  readonly packets: number;
  readonly bytes: number;
} {
  const bytes = nested(data, 1);
  const packets = nested(data, 2);
  if (bytes?.length !== 8 || packets?.length !== 8) return NO_COUNT;
  return { packets: readUint64(viewOf(packets), 0), bytes: readUint64(viewOf(bytes), 0) };
}

function nested(bytes: Uint8Array | undefined, type: number): Uint8Array | undefined {
  if (bytes === undefined) return undefined;
  const view = viewOf(bytes);
  let at = 0;
  while (at + ATTRIBUTE_HEADER_BYTES <= bytes.length) {
    const length = view.getUint16(at, true);
    if (length < ATTRIBUTE_HEADER_BYTES || at + length > bytes.length) return undefined;
    const found = view.getUint16(at + 2, true) & ATTRIBUTE_TYPE_MASK;
    if (found === type) return bytes.subarray(at + ATTRIBUTE_HEADER_BYTES, at + length);
    at = aligned(at + length);
  }
  return undefined;
}

function* attributesOf(bytes: Uint8Array, start: number): Generator<[number, Uint8Array]> {
  const view = viewOf(bytes);
  let offset = start;
  while (offset + ATTRIBUTE_HEADER_BYTES <= bytes.length) {
    const length = view.getUint16(offset, true);
    if (length < ATTRIBUTE_HEADER_BYTES || offset + length > bytes.length) return;
    const type = view.getUint16(offset + 2, true) & ATTRIBUTE_TYPE_MASK;
    yield [type, bytes.subarray(offset + ATTRIBUTE_HEADER_BYTES, offset + length)];
    offset = aligned(offset + length);
  }
}

function textAttribute(type: number, text: string): Uint8Array {
  const bytes = new TextEncoder().encode(`${text}\0`);
  const attribute = new Uint8Array(aligned(ATTRIBUTE_HEADER_BYTES + bytes.length));
  const view = new DataView(attribute.buffer);
  view.setUint16(0, ATTRIBUTE_HEADER_BYTES + bytes.length, true);
  view.setUint16(2, type, true);
  attribute.set(bytes, ATTRIBUTE_HEADER_BYTES);
  return attribute;
}

const DECODER = new TextDecoder();

/** Text up to its NUL. */
function textOf(bytes: Uint8Array | undefined): string {
  if (bytes === undefined) return '';
  const end = bytes.indexOf(0);
  return DECODER.decode(end < 0 ? bytes : bytes.subarray(0, end));
}

function readUint64(view: DataView, offset: number): number {
  return view.getUint32(offset, false) * 2 ** 32 + view.getUint32(offset + 4, false);
}

function bytesOf(view: DataView, start: number, end: number): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + start, Math.max(0, end - start));
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function aligned(length: number): number {
  return (length + 3) & ~3;
}
