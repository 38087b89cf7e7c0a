/** The metrics server of a plan, as the component `metrics`; moves when a reload says so. */
import type { ListenAddress } from '../config/plan.ts';
import type { ComponentHealth } from '../core/event.ts';
import {
  createMetricsServer,
  type MetricsServer,
  type MetricsServerOptions,
} from '../http/metrics-server.ts';
import { formatEndpoint } from '../sources/listen.ts';

export type MetricsEndpointOptions = Omit<MetricsServerOptions, 'listen'>;

export class MetricsEndpoint {
  readonly #options: MetricsEndpointOptions;
  #server: MetricsServer | null = null;
  #listen = '';

  constructor(options: MetricsEndpointOptions) {
    this.#options = options;
  }

  /**
   * Serves on these addresses and no others. Never throws: what cannot be had is told by an event, and tried again by
   * the next call.
   */
  async apply(listen: readonly ListenAddress[]): Promise<void> {
    const wanted = JSON.stringify(listen);
    if (wanted === this.#listen) return;
    await this.stop();
    this.#server = createMetricsServer({ ...this.#options, listen });
    const { bound, errors } = await this.#server.start();
    if (errors.length === 0) this.#listen = wanted;
    const places = bound.map(({ host, port }) => `http://${formatEndpoint(host, port)}/metrics`);
    this.#options.emit({
      kind: 'component',
      component: 'metrics',
      health: healthOf(bound.length, errors.length),
      detail:
        [...places, ...errors.map((error) => error.message)].join(', ') ||
        'not served: [metrics] listen is empty',
      advice: [...new Set(errors.map((error) => error.advice))].join('; '),
    });
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    this.#listen = '';
    await server?.stop();
  }
}

function healthOf(bound: number, failed: number): ComponentHealth {
  if (failed > 0) return bound > 0 ? 'degraded' : 'down';
  return bound > 0 ? 'up' : 'off';
}
