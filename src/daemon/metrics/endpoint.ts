/**
 * The metrics server as a part, and as the component `metrics`; a reload moves it, and gives it the files as they are
 * now.
 */
import { X509Certificate } from 'node:crypto';
import type { MetricsPlan, Plan } from '../../config/plan.ts';
import type { ComponentHealth } from '../../core/component.ts';
import { OperationalError } from '../../core/errors.ts';
import type { Microseconds } from '../../core/time.ts';
import { type RaisedWarning, raise } from '../../core/warning/catalogue.ts';
import type { MetricsServer, MetricsServerOptions } from '../../http/metrics-server.ts';
import { formatEndpoint } from '../../sources/listen.ts';
import type { Part } from '../part.ts';
import { endOf } from '../setting-files.ts';
import { type MetricsAccess, readMetricsAccess } from './access.ts';

export type MetricsEndpointOptions = Omit<MetricsServerOptions, 'listen' | 'token' | 'tls'>;

export class MetricsEndpoint implements Part {
  readonly name = 'metrics';
  readonly #options: MetricsEndpointOptions;
  #server: MetricsServer | null = null;
  /** Where it is served, and by which files. */
  #settings = '';
  /** The settings with what the files held; '' when not everything is served as it should be. */
  #served = '';
  #certificateUntil: Microseconds | null = null;

  constructor(options: MetricsEndpointOptions) {
    this.#options = options;
  }

  /**
   * Serves on these addresses and no others, to those that may read. Never throws: what cannot be had is told by an
   * event, and tried again by the next call. With files that have gone bad it stays as it is; it never opens to
   * everybody because of them.
   */
  readonly apply = async ({ metrics: plan }: Pick<Plan, 'metrics'>): Promise<void> => {
    const { listen, tokenFile, tls } = plan;
    const settings = JSON.stringify([listen, tokenFile, tls]);
    if (settings !== this.#settings) await this.stop();
    this.#settings = settings;
    const access = listen.length === 0 ? OPEN : this.#readAccess(plan);
    if (access === null) return;
    const wanted = JSON.stringify([settings, access]);
    if (wanted === this.#served) return;
    await this.#stopServer();
    // Loaded late, so that the daemon's other parts start first.
    const { createMetricsServer } = await import('../../http/metrics-server.ts');
    this.#server = createMetricsServer({ ...this.#options, ...access, listen });
    const { bound, errors } = await this.#server.start();
    const until = access.tls === null ? null : endOf(new X509Certificate(access.tls.certificate));
    if (until !== this.#certificateUntil)
      this.#options.emit({ kind: 'certificate', certificate: 'metrics', until });
    this.#certificateUntil = until;
    if (errors.length === 0) this.#served = wanted;
    const scheme = access.tls === null ? 'http' : 'https';
    const places = bound.map(({ host, port }) => `${scheme}://${formatEndpoint(host, port)}/metrics`);
    const health = healthOf(bound.length, errors.length);
    const detail = health === 'off' ? 'not served: [metrics] listen is empty' : places.join(', ');
    const code = health === 'down' ? 'metrics-down' : 'metrics-not-served';
    const warnings = errors.map(({ message, advice }) =>
      raise(code, { reason: message, remedy: advice }, message),
    );
    this.#tell(health, detail, warnings);
  };

  readonly stop = async (): Promise<void> => {
    this.#settings = '';
    await this.#stopServer();
  };

  async #stopServer(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    this.#served = '';
    await server?.stop();
  }

  /** Null, after telling why, when a file cannot be used. */
  #readAccess(plan: MetricsPlan): MetricsAccess | null {
    try {
      return readMetricsAccess(plan);
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      const isServed = this.#server !== null;
      const consequence = isServed ? 'served with what the files held before' : 'not served';
      const given = { reason: `${consequence}: ${error.message}`, remedy: error.advice };
      if (isServed) this.#tell('degraded', '', [raise('metrics-not-served', given)]);
      else this.#tell('down', '', [raise('metrics-down', given)]);
      this.#served = '';
      return null;
    }
  }

  #tell(health: ComponentHealth, detail: string, warnings: readonly RaisedWarning[]): void {
    this.#options.emit({ kind: 'component', component: 'metrics', health, detail, warnings });
  }
}

/** Where nothing is served, no file matters. */
const OPEN: MetricsAccess = { token: null, tls: null };

function healthOf(bound: number, failed: number): ComponentHealth {
  if (failed > 0) return bound > 0 ? 'degraded' : 'down';
  return bound > 0 ? 'up' : 'off';
}
