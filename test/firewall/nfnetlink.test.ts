import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FOREVER, SECOND } from '../../src/core/time.ts';
import type { KernelElement } from '../../src/firewall/firewall.ts';
import { banSet } from '../../src/firewall/layout.ts';
import {
  type Attributes,
  decodeCounter,
  decodeElements,
  decodeGeneration,
  decodeReplies,
  decodeSetName,
  encodeQuestion,
  isDump,
} from '../../src/firewall/nfnetlink.ts';

/** A netlink attribute, padded to four bytes. */
function attribute(type: number, ...parts: readonly (Buffer | string)[]): Buffer {
  const value = Buffer.concat(
    parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'hex') : part)),
  );
  const bytes = Buffer.alloc((4 + value.length + 3) & ~3);
  bytes.writeUInt16LE(4 + value.length, 0);
  bytes.writeUInt16LE(type, 2);
  value.copy(bytes, 4);
  return bytes;
}

function message(type: number, flags: number, sequence: number, body: Buffer): Buffer {
  const header = Buffer.alloc(16);
  header.writeUInt32LE(16 + body.length, 0);
  header.writeUInt16LE(type, 4);
  header.writeUInt16LE(flags, 6);
  header.writeUInt32LE(sequence, 8);
  return Buffer.concat([header, body]);
}

const NESTED = 0x8000;
const GENERIC_HEADER = '01000000';
const text = (value: string) => Buffer.from(`${value}\0`).toString('hex');
const counter = attribute(2 | NESTED, attribute(1, '0000000000000100'), attribute(2, '0000000100000003'));
const element = (...attributes: readonly Buffer[]) => attribute(1 | NESTED, ...attributes);
const key = (hex: string) => attribute(1 | NESTED, attribute(1, hex));

function decode(set: ReturnType<typeof banSet>, ...elements: readonly Buffer[]): KernelElement[] {
  const listed: KernelElement[] = [];
  decodeElements(new Map([[3, Buffer.concat(elements)]]), set, listed);
  return listed;
}

test('a question names the table, and what is asked about, as the kernel wants it', () => {
  assert.equal(
    Buffer.from(encodeQuestion('elements', 'bailiff', 'ban4', 7)).toString('hex'),
    `2c000000` + // length
      `0d0a` + // NFNL_SUBSYS_NFTABLES, NFT_MSG_GETSETELEM
      `0103` + // NLM_F_REQUEST, NLM_F_DUMP
      `0700000000000000` + // sequence, port
      `01000000` + // NFPROTO_INET
      `0c000100${text('bailiff')}` +
      `09000200${text('ban4')}000000`,
  );
  const generation = Buffer.from(encodeQuestion('generation', 'bailiff', '', 1)).toString('hex');
  assert.equal(generation, '14000000100a0100010000000000000000000000');
  assert.deepEqual([isDump('elements'), isDump('generation')], [true, false]);
});

test('a datagram is taken apart into the messages that answer us', () => {
  const body = Buffer.concat([
    Buffer.from(GENERIC_HEADER, 'hex'),
    attribute(1, text('bailiff')),
    attribute(2, text('ban4')),
  ]);
  const datagram = Buffer.concat([
    message(0x0a09, 0x10, 7, body),
    message(0x0a09, 0, 6, body),
    message(2, 0, 7, Buffer.from('feffffff00000000', 'hex')),
    message(3, 0, 7, Buffer.from('00000000', 'hex')),
    message(3, 0, 7, Buffer.from('fcffffff', 'hex')),
  ]);
  const replies = [...decodeReplies(datagram, 7)];
  assert.deepEqual(
    replies.map((reply) => (reply.kind === 'error' ? `error ${reply.errno}` : `${reply.kind}`)),
    ['data', 'error 2', 'done', 'error 4'],
  );
  const [first] = replies;
  assert.ok(first?.kind === 'data' && first.interrupted);
  assert.equal(decodeSetName(first.attributes), 'ban4');
});

test('an element has its time left, its comment and its counter', () => {
  const [listed, ...others] = decode(
    banSet(4, 32, false),
    element(
      key('cb007109'),
      attribute(4, '00000000000927c0'),
      attribute(5, '0000000000001388'),
      attribute(6, '0005', text('sshd')),
      attribute(7 | NESTED, attribute(1, text('counter')), counter),
    ),
  );
  assert.deepEqual(others, []);
  assert.deepEqual(listed, {
    set: 'ban4',
    key: '203.0.113.9',
    expires: 5 * SECOND,
    comment: 'sshd',
    packets: 2 ** 32 + 3,
    bytes: 256,
  });
});

test('an element may have a list of expressions, no timeout and no comment', () => {
  const expressions = attribute(11 | NESTED, attribute(1 | NESTED, attribute(1, text('counter')), counter));
  assert.deepEqual(
    decode(
      banSet(6, 64, true),
      element(key('20010db80000000000000000000000001100000000350000')),
      element(key('20010db80000000000000000000000000600000000160000'), expressions),
    ),
    [
      {
        set: 'ban6_64_port',
        key: '2001:db8:: . udp . 53',
        expires: FOREVER,
        comment: '',
        packets: 0,
        bytes: 0,
      },
      {
        set: 'ban6_64_port',
        key: '2001:db8:: . tcp . 22',
        expires: FOREVER,
        comment: '',
        packets: 2 ** 32 + 3,
        bytes: 256,
      },
    ],
  );
});

test('elements of another shape than the set has are left out', () => {
  assert.deepEqual(
    decode(banSet(4, 32, false), element(key('20010db8000000000000000000000000')), element()),
    [],
  );
  assert.deepEqual(decode(banSet(6, 64, false), element(key('00000000000000000000ffffcb007109'))), []);
  assert.deepEqual(decode(banSet(4, 32, true), element(key('cb0071093a00000000160000'))), []);
});

test('counters and the generation are read, other objects are not counters', () => {
  const attributes = (type: string): Attributes =>
    new Map([
      [2, Buffer.from(text('ban4'), 'hex')],
      [3, Buffer.from(type, 'hex')],
      [4, counter.subarray(4)],
    ]);
  assert.deepEqual(decodeCounter(attributes('00000001')), { set: 'ban4', packets: 2 ** 32 + 3, bytes: 256 });
  assert.equal(decodeCounter(attributes('00000002')), null);
  assert.equal(decodeGeneration(new Map([[1, Buffer.from('00000108', 'hex')]])), 264);
});

test('bytes that are no message end the datagram, and nothing is read beyond them', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      for (const reply of decodeReplies(bytes, 0)) {
        if (reply.kind === 'data')
          decode(banSet(4, 32, true), Buffer.from([...(reply.attributes.get(3) ?? [])]));
      }
      decode(banSet(6, 64, false), Buffer.from(bytes));
    }),
  );
});
