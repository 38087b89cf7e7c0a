/** The syslog listeners of a plan: started and stopped as it asks, summed up as the component `syslog`. */
import type { ListenAddress, Plan } from '../config/plan.ts';
import type { ComponentHealth, Emit } from '../core/event.ts';
import { PrefixSet } from '../core/prefix-set.ts';
import type { Clock } from '../core/time.ts';
import { formatEndpoint, type ListenerState, type ListeningSource } from '../sources/listen.ts';
import type { Sink } from '../sources/source.ts';
import { createTcpSource } from '../sources/stream.ts';
import { createUdpSource } from '../sources/udp.ts';

export type SyslogListenersOptions = { readonly clock: Clock; readonly sink: Sink; readonly emit: Emit };

type Wanted = { readonly protocol: 'udp' | 'tcp'; readonly listen: ListenAddress };

export class SyslogListeners {
  readonly #options: SyslogListenersOptions;
  #settings = '';
  #sources = new Map<string, ListeningSource>();
  readonly #states = new Map<string, ListenerState>();
  #isStarting = false;
  #told = '';

  constructor(options: SyslogListenersOptions) {
    this.#options = options;
  }

  /** Listens where the plan says and nowhere else. Resolves when every listener listens, or has said why not. */
  async apply(plan: Plan['syslog']): Promise<void> {
    const wanted = new Map(wantedListeners(plan).map((one) => [nameOf(one), one]));
    const settings = JSON.stringify({ ...plan, udp: null, tcp: null });
    const stale = [...this.#sources.keys()].filter(
      (name) => !wanted.has(name) || settings !== this.#settings,
    );
    await this.#stop(stale);
    this.#settings = settings;
    this.#isStarting = true;
    const started: Promise<void>[] = [];
    for (const [name, one] of wanted) {
      if (this.#sources.has(name)) continue;
      const source = this.#create(name, one, plan);
      this.#sources.set(name, source);
      started.push(source.start());
    }
    await Promise.all(started);
    this.#isStarting = false;
    this.#report();
  }

  /** Where it is bound, as `udp 127.0.0.1:5514`. */
  bound(): readonly string[] {
    return [...this.#sources].flatMap(([name, source]) => {
      const address = source.address();
      return address === null ? [] : `${name.slice(0, 3)} ${formatEndpoint(address.host, address.port)}`;
    });
  }

  async stop(): Promise<void> {
    this.#isStarting = true;
    await this.#stop([...this.#sources.keys()]);
  }

  async #stop(names: readonly string[]): Promise<void> {
    const leaving = names.map((name) => this.#sources.get(name));
    for (const name of names) {
      this.#sources.delete(name);
      this.#states.delete(name);
    }
    await Promise.all(leaving.map((source) => source?.stop()));
  }

  #create(name: string, { protocol, listen }: Wanted, plan: Plan['syslog']): ListeningSource {
    const options = {
      ...this.#options,
      listen,
      senders: new PrefixSet(plan.senders),
      maxMessageBytes: plan.maxMessageBytes,
      ipv6Only: listen.host.includes(':'),
      onState: (state: ListenerState) => this.#note(name, state),
    };
    const { maxConnections, maxConnectionsPerSender } = plan;
    return protocol === 'udp'
      ? createUdpSource(options)
      : createTcpSource({ ...options, maxConnections, maxConnectionsPerSender });
  }

  #note(name: string, state: ListenerState): void {
    if (!this.#sources.has(name)) return;
    this.#states.set(name, state);
    if (!this.#isStarting) this.#report();
  }

  #report(): void {
    const states = [...this.#states.values()];
    const ailing = states.filter((state) => state.health !== 'up');
    const detail = states.length === 0 ? 'no listener is configured' : this.#describe(ailing);
    const event = {
      kind: 'component',
      component: 'syslog',
      health: healthOf(states, ailing),
      detail,
      advice: [...new Set(ailing.map((state) => state.advice))].join('; '),
    } as const;
    const told = JSON.stringify(event);
    if (told !== this.#told) this.#options.emit(event);
    this.#told = told;
  }

  #describe(ailing: readonly ListenerState[]): string {
    const bound = this.bound();
    const parts = bound.length === 0 ? [] : [`listens on ${bound.join(', ')}`];
    return [...parts, ...ailing.map((state) => state.detail)].join('; ');
  }
}

function wantedListeners(plan: Plan['syslog']): readonly Wanted[] {
  return [
    ...plan.udp.map((listen) => ({ protocol: 'udp', listen }) as const),
    ...plan.tcp.map((listen) => ({ protocol: 'tcp', listen }) as const),
  ];
}

function nameOf({ protocol, listen }: Wanted): string {
  return `${protocol} ${formatEndpoint(listen.host, listen.port)}`;
}

/** Down only when nothing can be received. */
function healthOf(states: readonly ListenerState[], ailing: readonly ListenerState[]): ComponentHealth {
  if (states.length === 0) return 'off';
  if (ailing.length === 0) return 'up';
  return states.every((state) => state.health === 'down') ? 'down' : 'degraded';
}
