/**
 * Sends a file's lines as datagrams, as fast as asked; udp.ts starts it with an address, a port, how many to send, and
 * how many in a second (0 for as many as go). Many go with one call, sendmmsg(2), so that it is never the slowest.
 * Prints one line of JSON: FloodResult.
 */
import { readFileSync } from 'node:fs';
import * as koffi from 'koffi';
import { PinnedBytes } from '../../../src/native/memory.ts';
import { AF_INET, encodeInternetAddress } from '../../../src/native/socket-address.ts';
import { connectSocket, openSocket, SOCK_DGRAM } from '../../../src/native/socket-calls.ts';
import { formatTime } from '../logs/sshd-log.ts';

export type FloodResult = { readonly sent: number; readonly seconds: number; readonly refused: number };

/** Of one call, where there is no rate to keep to; at a rate each goes alone, as from as many hosts. */
const BATCH = 32;

/** Between the datagrams that are due: it leaves the processor to the receiver. */
const PAUSE_MILLISECONDS = 0.05;

/** Different messages; more do not fit into the caches, which is not what is measured. */
const MESSAGES = 4096;
const HEADER_BYTES = 64;
const VECTOR_BYTES = 16;

const [host = '', port = '', count = '', rate = '', file = ''] = process.argv.slice(2);

const lines = readFileSync(file, 'latin1').split('\n').slice(0, MESSAGES);
const now = formatTime(Date.now());
const messages = lines.map((line) => Buffer.from(`<38>${now}${line.slice(now.length)}`, 'latin1'));
const payload = new PinnedBytes(new ArrayBuffer(messages.reduce((sum, { length }) => sum + length, 0)));
const headers = new PinnedBytes(new ArrayBuffer(MESSAGES * (HEADER_BYTES + VECTOR_BYTES)));
let offset = 0;
for (const [index, message] of messages.entries()) {
  const vector = MESSAGES * HEADER_BYTES + index * VECTOR_BYTES;
  message.copy(payload.bytes, offset);
  headers.bytes.writeBigUInt64LE(BigInt(headers.pointer + vector), index * HEADER_BYTES + 16);
  headers.bytes.writeBigUInt64LE(1n, index * HEADER_BYTES + 24);
  headers.bytes.writeBigUInt64LE(BigInt(payload.pointer + offset), vector);
  headers.bytes.writeBigUInt64LE(BigInt(message.length), vector + 8);
  offset += message.length;
}

const sendmmsg = koffi.load('libc.so.6').func('sendmmsg', 'int', ['int', 'uintptr_t', 'uint32_t', 'int']);
const descriptor = openSocket(AF_INET, SOCK_DGRAM);
connectSocket(descriptor, encodeInternetAddress(host, Number(port)));

const total = Number(count);
const pause = new Int32Array(new SharedArrayBuffer(4));
const startedAt = process.hrtime.bigint();
let sent = 0;
let refused = 0;
while (sent < total) {
  const due = Number(rate) === 0 ? total : Math.floor(elapsedSeconds() * Number(rate));
  if (due <= sent) Atomics.wait(pause, 0, 0, PAUSE_MILLISECONDS);
  while (sent < Math.min(due, total)) {
    const first = sent % MESSAGES;
    const size = Math.min(Number(rate) === 0 ? BATCH : 1, total - sent, MESSAGES - first);
    const taken = sendmmsg(descriptor, headers.pointer + first * HEADER_BYTES, size, 0);
    if (taken > 0) sent += taken;
    else refused++;
  }
}
const result: FloodResult = { sent, seconds: elapsedSeconds(), refused };
process.stdout.write(`${JSON.stringify(result)}\n`);

function elapsedSeconds(): number {
  return Number(process.hrtime.bigint() - startedAt) / 1e9;
}
