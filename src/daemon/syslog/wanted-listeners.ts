/** Which syslog listeners there are to be: those of the configuration, and those that the service manager has bound. */
import type { ListenAddress, Plan } from '../../config/plan.ts';
import type { ActivatedSocket, Activation } from '../../native/activation.ts';
import { formatEndpoint } from '../../sources/listen.ts';

/** `descriptor` is that of a socket that was passed to us; null for one of our own. */
export type WantedListener = { readonly descriptor: number | null } & (
  | { readonly protocol: 'udp' | 'tcp' | 'tls'; readonly listen: ListenAddress }
  | { readonly protocol: 'unix'; readonly path: string }
);

/** FileDescriptorName= of a socket unit whose connections speak TLS. */
export const TLS_DESCRIPTOR_NAME = 'tls';

/** By name, such as `udp [::]:514`. Where a passed socket is, none is opened. */
export function wantedListeners(
  plan: Plan['syslog'],
  activation: Activation,
): ReadonlyMap<string, WantedListener> {
  const configured: readonly WantedListener[] = [
    ...plan.udp.map((listen) => ({ protocol: 'udp', listen, descriptor: null }) as const),
    ...plan.tcp.map((listen) => ({ protocol: 'tcp', listen, descriptor: null }) as const),
    ...plan.tls.map((listen) => ({ protocol: 'tls', listen, descriptor: null }) as const),
    ...plan.unix.map((path) => ({ protocol: 'unix', path, descriptor: null }) as const),
  ];
  return new Map([...configured, ...activation.sockets.map(toWanted)].map((one) => [nameOf(one), one]));
}

function toWanted(socket: ActivatedSocket): WantedListener {
  const { fd: descriptor, kind, name } = socket;
  if (kind === 'unix-datagram') return { protocol: 'unix', path: socket.path, descriptor };
  const protocol = kind === 'tcp' && name === TLS_DESCRIPTOR_NAME ? 'tls' : kind;
  return { protocol, listen: socket.address, descriptor };
}

function nameOf(wanted: WantedListener): string {
  if (wanted.protocol === 'unix') return `unix ${wanted.path}`;
  return `${wanted.protocol} ${formatEndpoint(wanted.listen.host, wanted.listen.port)}`;
}
