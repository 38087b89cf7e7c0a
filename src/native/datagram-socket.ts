/**
 * Sockets for datagrams: UDP with the largest receive buffer that may be had, unix (unix(7), SOCK_DGRAM; Node has
 * none), and such that somebody else has bound for us. They never block; the event loop says when there is something.
 */
import * as koffi from 'koffi';
import { type Address, familyOf } from '../core/address/address.ts';
import { OperationalError } from '../core/errors.ts';
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  encodeInternetAddress,
  encodeUnixAddress,
  type SocketAddress,
} from './socket-address.ts';
import {
  bindSocket,
  closeSocket,
  connectSocket,
  type Descriptor,
  duplicateSocket,
  IPPROTO_IPV6,
  IPV6_V6ONLY,
  openSocket,
  readDrops,
  readLocalAddress,
  readOption,
  SO_PASSCRED,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  SOCK_DGRAM,
  SOL_SOCKET,
  setOption,
} from './socket-calls.ts';

export type UdpBinding = {
  readonly host: Address;
  /** 0 for a free one. */
  readonly port: number;
  /** Leave IPv4 to others; else an IPv6 wildcard takes both. */
  readonly ipv6Only: boolean;
};

/** Asked for; without CAP_NET_ADMIN the kernel gives at most net.core.rmem_max. */
export const RECEIVE_BUFFER_BYTES = 16 * 1024 * 1024;

/** Opens and binds a UDP socket. Throws OperationalError. */
export function bindUdp({ host, port, ipv6Only }: UdpBinding): DatagramSocket {
  const isInet6 = familyOf(host) === 6;
  const descriptor = openSocket(isInet6 ? AF_INET6 : AF_INET, SOCK_DGRAM);
  return closingOnFailure(descriptor, () => {
    if (isInet6) setOption(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, ipv6Only ? 1 : 0);
    enlargeBuffer(descriptor);
    bindSocket(descriptor, encodeInternetAddress(host, port));
    return new DatagramSocket(descriptor);
  });
}

/**
 * Opens a unix socket and binds it to `path`, where nothing may be; its file has the mode that the process's umask
 * leaves. Throws OperationalError.
 */
export function bindUnixDatagram(path: string): DatagramSocket {
  const descriptor = openSocket(AF_UNIX, SOCK_DGRAM);
  return closingOnFailure(descriptor, () => {
    setOption(descriptor, SOL_SOCKET, SO_PASSCRED, 1);
    bindSocket(descriptor, encodeUnixAddress(path));
    return new DatagramSocket(descriptor);
  });
}

/** Whether somebody receives at `path`: the kernel refuses a connection to a socket that was left behind. */
export function isUnixDatagramAnswered(path: string): boolean {
  const descriptor = openSocket(AF_UNIX, SOCK_DGRAM);
  try {
    connectSocket(descriptor, encodeUnixAddress(path));
    return true;
  } catch (error) {
    if (error instanceof OperationalError && (error.code === 'ECONNREFUSED' || error.code === 'ENOENT'))
      return false;
    throw error;
  } finally {
    closeSocket(descriptor);
  }
}

/**
 * Receives from a socket of datagrams that somebody else has bound, beside whoever else holds `descriptor`, which stays
 * open. Throws OperationalError.
 */
export function adoptDatagramSocket(descriptor: Descriptor): DatagramSocket {
  const own = duplicateSocket(descriptor);
  return closingOnFailure(own, () => {
    if (readLocalAddress(own)?.family === 'unix') setOption(own, SOL_SOCKET, SO_PASSCRED, 1);
    else enlargeBuffer(own);
    return new DatagramSocket(own);
  });
}

export class DatagramSocket {
  readonly descriptor: Descriptor;
  #poll: koffi.node.PollHandle | null = null;
  #callback: (status: unknown) => void = () => {};
  #isPaused = false;
  #isClosed = false;

  /** Owns `descriptor` from now on. */
  constructor(descriptor: Descriptor) {
    this.descriptor = descriptor;
  }

  address(): SocketAddress | null {
    return readLocalAddress(this.descriptor);
  }

  /** What the kernel has granted; it answers with twice as much, for its own overhead (socket(7), SO_RCVBUF). */
  bufferBytes(): number {
    return readOption(this.descriptor, SOL_SOCKET, SO_RCVBUF) / 2;
  }

  /** Datagrams that the kernel has dropped since the socket was opened. */
  drops(): number {
    return readDrops(this.descriptor);
  }

  /**
   * Calls `onReadable` in each turn of the event loop in which there is something to receive, and `onFailure` when the
   * socket can be waited for no longer.
   */
  watch(onReadable: () => void, onFailure: (error: OperationalError) => void): void {
    let isScheduled = false;
    // The library calls back without Node's own frame around it, where promises would not be carried on and an
    // exception would be nobody's. A check of the same turn is as soon, and has both.
    this.#callback = (status: unknown) => {
      if (isScheduled) return;
      isScheduled = true;
      setImmediate(() => {
        isScheduled = false;
        if (this.#poll === null || this.#isPaused) return;
        if (Number(status) < 0) onFailure(pollError(status));
        else onReadable();
      });
    };
    // The handle is closed when it is collected, so it is kept.
    this.#poll = koffi.node.poll(this.descriptor, READABLE, this.#callback);
  }

  /** Does not call until resume(). */
  pause(): void {
    this.#isPaused = true;
    this.#poll?.stop();
  }

  resume(): void {
    this.#isPaused = false;
    this.#poll?.start(READABLE, this.#callback);
  }

  /** Safe to repeat. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#poll?.close();
    this.#poll = null;
    closeSocket(this.descriptor);
  }
}

const READABLE = { readable: true };

function pollError(status: unknown): OperationalError {
  return new OperationalError(`poll: status ${status}`, { code: 'EIO', retriable: true });
}

/** A buffer that is smaller than asked for is no reason not to receive. */
function enlargeBuffer(descriptor: Descriptor): void {
  for (const option of [SO_RCVBUFFORCE, SO_RCVBUF]) {
    try {
      setOption(descriptor, SOL_SOCKET, option, RECEIVE_BUFFER_BYTES);
      return;
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
    }
  }
}

function closingOnFailure(descriptor: Descriptor, prepare: () => DatagramSocket): DatagramSocket {
  try {
    return prepare();
  } catch (error) {
    closeSocket(descriptor);
    throw error;
  }
}
