/**
 * Takes datagrams from a socket, many with one call: recvmmsg(2) into memory that is laid out once, so that each is
 * parsed where the kernel has put it, and nothing is allocated on the way.
 */
import type { Address } from '../core/address/address.ts';
import { PinnedBytes } from './memory.ts';
import { PeerNames } from './peer-names.ts';
import { AF_INET, AF_INET6 } from './socket-address.ts';
import { type Descriptor, receiveMessages } from './socket-calls.ts';
import { resultError } from './systemd.ts';

/** Who wrote to a unix socket, as the kernel vouches for it: struct ucred of unix(7), SCM_CREDENTIALS. */
export type PeerCredentials = { readonly pid: number; readonly uid: number };

/** Datagrams of one call; with messages of at most 16 KiB their places take 2 MiB. */
export const MAX_RECEIVED = 128;

/** struct mmsghdr of bits/socket.h on 64-bit platforms: a msghdr of 56 bytes, then the length. */
const HEADER_BYTES = 64;
const NAME = 0;
const NAME_LENGTH = 8;
const VECTOR = 16;
const VECTOR_LENGTH = 24;
const CONTROL = 32;
const CONTROL_LENGTH = 40;
const LENGTH = 56;

/** struct iovec: a pointer and a length. */
const VECTOR_BYTES = 16;

/** Room for a struct sockaddr_in6, the longest address that is asked for. */
const NAME_BYTES = 32;
const INET_ADDRESS = 4;
const INET6_ADDRESS = 8;

/**
 * Room for one control message with a struct ucred and for nothing else: descriptors that somebody passes along find
 * no room, and the kernel closes them (unix(7), SCM_RIGHTS).
 */
const CONTROL_BYTES = 32;
const CONTROL_LEVEL = 8;
const CONTROL_TYPE = 12;
const CONTROL_PID = 16;
const CONTROL_UID = 20;
const LEVEL_AND_TYPE_BYTES = 28;
const SOL_SOCKET = 1;
const SCM_CREDENTIALS = 2;

/** The four arrays lie one behind the other. */
const VECTORS = MAX_RECEIVED * HEADER_BYTES;
const NAMES = VECTORS + MAX_RECEIVED * VECTOR_BYTES;
const CONTROLS = NAMES + MAX_RECEIVED * NAME_BYTES;
const MEMORY_BYTES = CONTROLS + MAX_RECEIVED * CONTROL_BYTES;

/** bits/socket.h. MSG_TRUNC makes the kernel tell the true length of what was too long for its slot. */
const MSG_TRUNC = 0x20;
const MSG_DONTWAIT = 0x40;
const FLAGS = MSG_TRUNC | MSG_DONTWAIT;

const EINTR = -4;
const EAGAIN = -11;

export class DatagramReceiver {
  /** What the last call has received: datagram `index` begins at startOf(index). */
  readonly bytes: Buffer;
  readonly #descriptor: Descriptor;
  readonly #maxBytes: number;
  readonly #slotBytes: number;
  readonly #memory = new PinnedBytes(new ArrayBuffer(MEMORY_BYTES));
  /** The same memory in words. */
  readonly #words = new Uint32Array(this.#memory.bytes.buffer);
  readonly #names = new PeerNames(this.#words);
  #received = MAX_RECEIVED;

  /** Receives from `descriptor`; what is longer than `maxDatagramBytes` is cut. */
  constructor(descriptor: Descriptor, maxDatagramBytes: number) {
    this.#descriptor = descriptor;
    this.#maxBytes = maxDatagramBytes;
    this.#slotBytes = slotBytesFor(maxDatagramBytes);
    const slots = new PinnedBytes(new ArrayBuffer(MAX_RECEIVED * this.#slotBytes));
    this.bytes = slots.bytes;
    for (let index = 0; index < MAX_RECEIVED; index++) {
      const header = index * HEADER_BYTES;
      const vector = VECTORS + index * VECTOR_BYTES;
      this.#write(header + NAME, this.#memory.pointer + NAMES + index * NAME_BYTES);
      this.#write(header + VECTOR, this.#memory.pointer + vector);
      this.#write(header + VECTOR_LENGTH, 1);
      this.#write(header + CONTROL, this.#memory.pointer + CONTROLS + index * CONTROL_BYTES);
      this.#write(vector, slots.pointer + index * this.#slotBytes);
      this.#write(vector + 8, maxDatagramBytes);
    }
  }

  /** Takes what is there, at most MAX_RECEIVED datagrams; 0 when there is none. Throws OperationalError. */
  receive(): number {
    this.#renew();
    const count = receiveMessages(this.#descriptor, this.#memory.pointer, MAX_RECEIVED, FLAGS);
    if (count >= 0) {
      this.#received = count;
      return count;
    }
    if (count === EAGAIN || count === EINTR) return 0;
    throw resultError('recvmmsg', count);
  }

  startOf(index: number): number {
    return index * this.#slotBytes;
  }

  /** Bytes of it that are here. */
  lengthOf(index: number): number {
    return Math.min(this.sentLengthOf(index), this.#maxBytes);
  }

  /** Bytes that were sent. */
  sentLengthOf(index: number): number {
    return this.#words[(index * HEADER_BYTES + LENGTH) >> 2] ?? 0;
  }

  /** The address of who sent it; '' when it is none of IPv4 or IPv6. The port is nobody's business. */
  peerOf(index: number): Address {
    const name = (NAMES + index * NAME_BYTES) >> 2;
    const family = (this.#words[name] ?? 0) & 0xffff;
    if (family === AF_INET) return this.#names.ofInet(name + (INET_ADDRESS >> 2));
    return family === AF_INET6 ? this.#names.ofInet6(name + (INET6_ADDRESS >> 2)) : '';
  }

  /** Who sent it to a unix socket; null when the kernel does not say. */
  credentialsOf(index: number): PeerCredentials | null {
    const words = this.#words;
    const length = words[(index * HEADER_BYTES + CONTROL_LENGTH) >> 2] ?? 0;
    const control = CONTROLS + index * CONTROL_BYTES;
    const isThere =
      length >= LEVEL_AND_TYPE_BYTES &&
      words[(control + CONTROL_LEVEL) >> 2] === SOL_SOCKET &&
      words[(control + CONTROL_TYPE) >> 2] === SCM_CREDENTIALS;
    if (!isThere) return null;
    return { pid: words[(control + CONTROL_PID) >> 2] ?? 0, uid: words[(control + CONTROL_UID) >> 2] ?? 0 };
  }

  /** The kernel has written the lengths of what it gave over those of the room there is. */
  #renew(): void {
    const words = this.#words;
    for (let index = 0; index < this.#received; index++) {
      words[(index * HEADER_BYTES + NAME_LENGTH) >> 2] = NAME_BYTES;
      words[(index * HEADER_BYTES + CONTROL_LENGTH) >> 2] = CONTROL_BYTES;
    }
    this.#received = 0;
  }

  /** A 64-bit number, little-endian as both platforms that we ship for are. */
  #write(offset: number, value: number): void {
    this.#words[offset >> 2] = value % 2 ** 32;
    this.#words[(offset >> 2) + 1] = Math.floor(value / 2 ** 32);
  }
}

const CACHE_LINE_BYTES = 64;

/** An odd number of cache lines: with a power of two the beginnings of all slots would share a few places in it. */
function slotBytesFor(maxDatagramBytes: number): number {
  const lines = Math.ceil(maxDatagramBytes / CACHE_LINE_BYTES);
  return (lines | 1) * CACHE_LINE_BYTES;
}
