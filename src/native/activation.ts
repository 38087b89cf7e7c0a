/**
 * Sockets that the service manager has bound for us and passed along: sd_listen_fds(3), systemd.socket(5). It keeps
 * them when we stop, so that the kernel goes on collecting what comes in.
 */
import type { ListenAddress } from '../config/plan.ts';
import { OperationalError } from '../core/errors.ts';
import {
  closeOnExec,
  closeSocket,
  type Descriptor,
  readLocalAddress,
  readOption,
  SO_ACCEPTCONN,
  SO_TYPE,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
} from './socket-calls.ts';

export type ActivatedSocket = {
  readonly fd: Descriptor;
  /** FileDescriptorName= of its unit, which is the unit's name unless it says otherwise. */
  readonly name: string;
} & (
  | { readonly kind: 'udp' | 'tcp'; readonly address: ListenAddress }
  | { readonly kind: 'unix-datagram'; readonly path: string }
);

export type Activation = {
  readonly sockets: readonly ActivatedSocket[];
  /** One line for each descriptor that cannot be used. */
  readonly refused: readonly string[];
};

/** What LISTEN_FDS and its like say: a name for each descriptor, from FIRST_DESCRIPTOR on. */
export type PassedDescriptors = readonly { readonly fd: Descriptor; readonly name: string }[];

/** SD_LISTEN_FDS_START of systemd/sd-daemon.h. */
export const FIRST_DESCRIPTOR = 3;

/** More than these are left alone. */
export const MAX_PASSED_DESCRIPTORS = 64;

const VARIABLES = ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES', 'LISTEN_PIDFDID'];

/**
 * Takes what was passed to this process. To be called once, before anything is started that would inherit the variables
 * or the descriptors. Never throws.
 */
export function takeActivation(env: NodeJS.ProcessEnv = process.env): Activation {
  const passed = readPassedDescriptors(env, process.pid);
  for (const name of VARIABLES) delete env[name];
  const sockets: ActivatedSocket[] = [];
  const refused: string[] = [];
  for (const { fd, name } of passed) {
    const found = inspect(fd, name);
    if (typeof found !== 'string') sockets.push(found);
    else refused.push(`descriptor ${fd} (${JSON.stringify(name)}) ${found}`);
  }
  return { sockets, refused };
}

/** What the environment says has been passed to the process `pid`; empty when that is not this process. */
export function readPassedDescriptors(
  env: Readonly<Record<string, string | undefined>>,
  pid: number,
): PassedDescriptors {
  const { LISTEN_PID = '', LISTEN_FDS = '', LISTEN_FDNAMES = '' } = env;
  if (LISTEN_PID !== String(pid) || !/^[1-9]\d{0,4}$/.test(LISTEN_FDS)) return [];
  const names = LISTEN_FDNAMES.split(':');
  const count = Math.min(Number(LISTEN_FDS), MAX_PASSED_DESCRIPTORS);
  return Array.from({ length: count }, (_, index) => ({
    fd: FIRST_DESCRIPTOR + index,
    name: names[index] ?? '',
  }));
}

/** The socket, or what it is instead of one that can be used. */
function inspect(fd: Descriptor, name: string): ActivatedSocket | string {
  try {
    closeOnExec(fd);
    const type = readOption(fd, SOL_SOCKET, SO_TYPE);
    const address = readLocalAddress(fd);
    if (address?.family === 'internet') {
      const { host, port } = address;
      if (type === SOCK_DGRAM) return { fd, name, kind: 'udp', address: { host, port } };
      const isListening = type === SOCK_STREAM && readOption(fd, SOL_SOCKET, SO_ACCEPTCONN) !== 0;
      if (isListening) return { fd, name, kind: 'tcp', address: { host, port } };
    } else if (address?.family === 'unix' && type === SOCK_DGRAM) {
      return { fd, name, kind: 'unix-datagram', path: address.path };
    }
    closeSocket(fd);
    return 'is no UDP socket, listening TCP socket or unix datagram socket';
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error;
    return `cannot be used: ${error.message}`;
  }
}
