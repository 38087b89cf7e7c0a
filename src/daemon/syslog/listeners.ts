/** The syslog listeners as a part: started and stopped as a plan asks, summed up as the component `syslog`. */

import type { Plan } from '../../config/plan.ts';
import type { ComponentHealth } from '../../core/component.ts';
import type { Emit } from '../../core/event.ts';
import type { Clock } from '../../core/time.ts';
import { type RaisedWarning, raise } from '../../core/warning/catalogue.ts';
import type { Failing } from '../../core/warning/entry.ts';
import type { Activation } from '../../native/activation.ts';
import type { Elapsed } from '../../native/machine-clocks.ts';
import type { SenderDirectory } from '../../senders/directory.ts';
import { findLocalUsers } from '../../sources/datagram/local-users.ts';
import { type AdoptedSocket, createUdpSource } from '../../sources/datagram/udp.ts';
import { createUnixSource } from '../../sources/datagram/unix.ts';
import { formatEndpoint, type ListenerState, type ListeningSource } from '../../sources/listen.ts';
import type { Sink } from '../../sources/source.ts';
import { createStreamSource, type StreamSettings } from '../../sources/stream/stream.ts';
import type { TlsCredentials } from '../../sources/stream/tls-handshakes.ts';
import type { Prefilter } from '../../syslog/parse.ts';
import type { Part } from '../part.ts';
import { SyslogTls } from './tls.ts';
import { type WantedListener, wantedListeners } from './wanted-listeners.ts';

export type SyslogListenersOptions = {
  readonly clock: Clock;
  readonly elapsed: Elapsed;
  readonly sink: Sink;
  /** Which messages are to become records. Default: all. */
  readonly prefilter?: Prefilter;
  readonly emit: Emit;
  /** Says who may send. */
  readonly senders: SenderDirectory;
  /** What the service manager has passed. Default: nothing. */
  readonly activation?: Activation;
  /** How often the files of certificates are looked at, in place of the usual. */
  readonly watchMilliseconds?: number;
};

type Listener = {
  readonly source: ListeningSource;
  /** Puts other settings into force; null when that takes a new source. */
  readonly configure: ((settings: StreamSettings) => void) | null;
};

export class SyslogListeners implements Part {
  readonly name = 'syslog';
  readonly #options: SyslogListenersOptions;
  readonly #tls: SyslogTls;
  readonly #activation: Activation;
  /** The datagram sockets among what was passed, by descriptor: they stay when their listeners are made anew. */
  readonly #adopted: ReadonlyMap<number, AdoptedSocket>;
  #plan: Plan['syslog'] | null = null;
  readonly #listeners = new Map<string, Listener>();
  readonly #states = new Map<string, ListenerState>();
  #isBusy = false;
  #told = '';

  constructor(options: SyslogListenersOptions) {
    this.#options = options;
    this.#activation = options.activation ?? { sockets: [], refused: [] };
    this.#adopted = new Map(this.#activation.sockets.map(({ fd }) => [fd, { fd, loss: { told: 0 } }]));
    this.#tls = new SyslogTls({
      ...options,
      onCredentials: (credentials) => this.#exchange(credentials),
      onTrouble: () => this.#report(),
    });
  }

  /** Listens where the plan says and nowhere else. Resolves when every listener listens, or has said why not. */
  readonly apply = async ({ syslog: plan }: Pick<Plan, 'syslog'>): Promise<void> => {
    this.#isBusy = true;
    const isChanged =
      datagramSettingsOf(plan) !== (this.#plan === null ? '' : datagramSettingsOf(this.#plan));
    this.#plan = plan;
    const credentials = this.#tls.apply(plan.tlsServer);
    const wanted = wantedListeners(plan, this.#activation);
    const stale = [...this.#listeners].filter(
      ([name, { configure }]) =>
        !wanted.has(name) ||
        (configure === null && isChanged) ||
        (wanted.get(name)?.protocol === 'tls' && credentials === null),
    );
    await this.#stop(stale.map(([name]) => name));
    for (const { configure } of this.#listeners.values()) configure?.(settingsOf(plan, credentials));
    await this.#start(wanted, plan, credentials);
    this.#isBusy = false;
    this.#report();
  };

  /** Where it is bound, as `udp 127.0.0.1:5514`. */
  bound(): readonly string[] {
    return [...this.#listeners].flatMap(([name, { source }]) => {
      const address = source.address();
      if (address !== null) return `${name.slice(0, 3)} ${formatEndpoint(address.host, address.port)}`;
      const isUnix = name.startsWith('unix ');
      return isUnix && this.#states.get(name)?.health !== 'down' ? name : [];
    });
  }

  readonly stop = async (): Promise<void> => {
    this.#isBusy = true;
    this.#tls.stop();
    await this.#stop([...this.#listeners.keys()]);
  };

  async #start(
    wanted: ReadonlyMap<string, WantedListener>,
    plan: Plan['syslog'],
    credentials: TlsCredentials | null,
  ): Promise<void> {
    const started: Promise<void>[] = [];
    for (const [name, one] of wanted) {
      if (this.#listeners.has(name)) continue;
      if (one.protocol === 'tls' && credentials === null) {
        this.#states.set(name, withoutCredentials(name));
        continue;
      }
      const listener = this.#create(name, one, plan, credentials);
      this.#listeners.set(name, listener);
      started.push(listener.source.start());
    }
    await Promise.all(started);
  }

  /** The files of the certificates have changed: open connections stay, and listeners that lacked them begin. */
  #exchange(credentials: TlsCredentials): void {
    const plan = this.#plan;
    if (plan === null || this.#isBusy) return;
    for (const { configure } of this.#listeners.values()) configure?.(settingsOf(plan, credentials));
    const wanted = wantedListeners(plan, this.#activation);
    void this.#start(wanted, plan, credentials).then(() => this.#report());
  }

  async #stop(names: readonly string[]): Promise<void> {
    const leaving = names.map((name) => this.#listeners.get(name));
    for (const name of names) this.#listeners.delete(name);
    for (const name of this.#states.keys()) if (!this.#listeners.has(name)) this.#states.delete(name);
    await Promise.all(leaving.map((listener) => listener?.source.stop()));
  }

  #create(
    name: string,
    wanted: WantedListener,
    plan: Plan['syslog'],
    credentials: TlsCredentials | null,
  ): Listener {
    const { descriptor } = wanted;
    const { maxMessageBytes } = plan;
    const options = {
      ...this.#options,
      maxMessageBytes,
      onState: (state: ListenerState) => this.#note(name, state),
    };
    const adopted = descriptor === null ? undefined : this.#adopted.get(descriptor);
    const adoption = adopted === undefined ? {} : { adopted };
    if (wanted.protocol === 'unix') {
      const unix = {
        ...options,
        ...adoption,
        path: wanted.path,
        believedUids: findLocalUsers(plan.unixUsers).uids,
      };
      return { source: createUnixSource(unix), configure: null };
    }
    const { listen } = wanted;
    const internet = { ...options, listen, ipv6Only: listen.host.includes(':') };
    if (wanted.protocol === 'udp')
      return { source: createUdpSource({ ...internet, ...adoption }), configure: null };
    const settings = settingsOf(plan, wanted.protocol === 'tls' ? credentials : null);
    const source = createStreamSource({
      ...internet,
      ...settings,
      ...(descriptor === null ? {} : { descriptor }),
    });
    return { source, configure: (changed) => source.configure(changed) };
  }

  #note(name: string, state: ListenerState): void {
    if (!this.#listeners.has(name)) return;
    this.#states.set(name, state);
    if (!this.#isBusy) this.#report();
  }

  #report(): void {
    const states = [...this.#states.values()];
    const ailing = states.filter((state) => state.health !== 'up');
    const warnings = this.#warnings(states, ailing);
    const bound = this.bound();
    const event = {
      kind: 'component',
      component: 'syslog',
      health: healthOf(states, ailing, warnings.length > 0),
      detail: states.length === 0 ? 'no listener is configured' : this.#describe(bound),
      warnings,
    } as const;
    const told = JSON.stringify(event);
    if (told !== this.#told) this.#options.emit(event);
    this.#told = told;
  }

  #warnings(states: readonly ListenerState[], ailing: readonly ListenerState[]): readonly RaisedWarning[] {
    const trouble = states.some(({ source }) => source === 'tls') ? this.#tlsTrouble() : null;
    const unknown = this.#plan === null ? [] : findLocalUsers(this.#plan.unixUsers).unknown;
    return [
      ...ailing.map(({ listener, detail, advice }) =>
        raise('syslog-listener-down', { reason: detail, remedy: advice }, listener),
      ),
      ...(trouble === null ? [] : [raise('syslog-tls-unusable', trouble)]),
      ...unknown.map((user) => raise('syslog-user-unknown', {}, user)),
      ...this.#activation.refused.map((socket) => raise('passed-socket-refused', {}, socket)),
    ];
  }

  #tlsTrouble(): Failing | null {
    return this.#plan?.tlsServer === null ? WITHOUT_CERTIFICATE : this.#tls.trouble();
  }

  #describe(bound: readonly string[]): string {
    if (bound.length === 0) return '';
    const until = this.#tls.validUntil();
    const isTls = bound.some((name) => name.startsWith('tls ')) && until !== '';
    return `listens on ${bound.join(', ')}${isTls ? `; TLS certificate valid until ${until}` : ''}`;
  }
}

const WITHOUT_CERTIFICATE: Failing = {
  reason: 'a socket that speaks TLS was passed, and there is no certificate for it',
  remedy: 'write [syslog.tls_server], see: bailiff tls init',
};

/** What a datagram listener is made with, and made anew for. */
function datagramSettingsOf({ maxMessageBytes, unixUsers }: Plan['syslog']): string {
  return JSON.stringify([maxMessageBytes, unixUsers]);
}

function settingsOf(plan: Plan['syslog'], credentials: TlsCredentials | null): StreamSettings {
  const { maxMessageBytes, maxConnections, maxConnectionsPerSender } = plan;
  const settings = { maxMessageBytes, maxConnections, maxConnectionsPerSender };
  return credentials === null ? settings : { ...settings, credentials };
}

/** A TLS listener that cannot begin; why, is said for all of them together. */
function withoutCredentials(listener: string): ListenerState {
  return { source: 'tls', listener, health: 'down', detail: '', advice: '' };
}

/** Down only when nothing can be received. */
function healthOf(
  states: readonly ListenerState[],
  ailing: readonly ListenerState[],
  isTroubled: boolean,
): ComponentHealth {
  if (states.length === 0) return 'off';
  if (ailing.length === 0) return isTroubled ? 'degraded' : 'up';
  return states.every((state) => state.health === 'down') ? 'down' : 'degraded';
}
