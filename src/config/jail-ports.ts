/** From the words for a jail's ports to the ports: what services(5) calls them, and what lies in their ranges. */
import type { ScopedPort } from '../core/ledger/policy.ts';
import { readSource } from './document/files.ts';
import { nearest } from './document/nearest.ts';
import { quote } from './document/problem.ts';
import type { PortWord } from './schema/ports.ts';

/** Ports of one jail: each of its bans is as many elements in the kernel. */
export const MAX_PORTS = 128;

/** What the names of services(5) mean: for each its ports. A text says why they are not known. */
export type Services = ReadonlyMap<string, readonly ScopedPort[]> | string;

export type ResolvedPorts =
  | { readonly ports: readonly ScopedPort[] }
  /** `index` is that of the word that cannot be used; null when it is the list as a whole. */
  | { readonly index: number | null; readonly message: string };

/** Each port once. `services` is asked for only where a word is a name. */
export function resolvePorts(words: readonly PortWord[], services: () => Services): ResolvedPorts {
  const ports = new Map<string, ScopedPort>();
  for (const [index, word] of words.entries()) {
    const found = 'service' in word ? portsOfService(word, services()) : portsOfRange(word);
    if (typeof found === 'string') return { index, message: found };
    for (const port of found) ports.set(`${port.protocol}/${port.port}`, port);
  }
  if (ports.size <= MAX_PORTS) return { ports: [...ports.values()] };
  return { index: null, message: `these are ${ports.size} ports, ${TOO_MANY}` };
}

const TOO_MANY = `and a jail bans from at most ${MAX_PORTS}: leave \`ports\` out to ban from the whole host`;

/** A number without a protocol is one of tcp, as in fail2ban. */
function portsOfRange({ protocol, first, last }: Extract<PortWord, { first: number }>) {
  const length = last - first + 1;
  if (length > MAX_PORTS) return `this is a range of ${length} ports, ${TOO_MANY}`;
  return Array.from({ length }, (_, step) => ({
    protocol: protocol ?? ('tcp' as const),
    port: first + step,
  }));
}

function portsOfService({ protocol, service }: Extract<PortWord, { service: string }>, services: Services) {
  const name = quote(service);
  if (typeof services === 'string')
    return `${name} is not known: ${services}; write a number such as "tcp/22"`;
  const known = services.get(service);
  if (known === undefined) {
    const meant = nearest(service, services.keys());
    const advice = meant === null ? 'write its number, such as "tcp/22"' : `did you mean "${meant}"?`;
    return `there is no service ${name} in /etc/services: ${advice}`;
  }
  const ports = protocol === null ? known : known.filter((port) => port.protocol === protocol);
  const others = known.map((port) => `"${port.protocol}/${port.port}"`).join(' and ');
  return ports.length > 0 ? ports : `${name} in /etc/services is ${others}, and nothing of ${protocol}`;
}

/** Reads a file in the form of services(5): `ssh 22/tcp alias # comment`, once and when it is first asked for. */
export function servicesOf(file: string): () => Services {
  let services: Services | null = null;
  return () => {
    services ??= readServices(file);
    return services;
  };
}

const SERVICE = /^([\w+.-]{1,64})\s+(\d{1,5})\/(tcp|udp)((?:\s+[\w+.-]{1,64})*)\s*(?:#|$)/;

function readServices(file: string): Services {
  const source = readSource(file);
  if ('message' in source) return `${file} ${source.message}`;
  const services = new Map<string, ScopedPort[]>();
  for (const line of source.text.split('\n')) {
    const [, name, port, protocol, aliases = ''] = SERVICE.exec(line) ?? [];
    if (name === undefined || Number(port) < 1 || Number(port) > 65_535) continue;
    const scoped: ScopedPort = { protocol: protocol === 'tcp' ? 'tcp' : 'udp', port: Number(port) };
    for (const word of [name, ...aliases.split(/\s+/).filter((alias) => alias !== '')]) {
      services.set(word, [...(services.get(word) ?? []), scoped]);
    }
  }
  return services;
}
