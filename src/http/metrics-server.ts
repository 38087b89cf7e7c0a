/**
 * Serves /metrics to Prometheus, /healthz and /readyz to supervisors, on TCP. Read-only and the same for everybody, so
 * it does not matter who asks or by which host name; no address, user or log text is in any answer.
 */
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { ListenAddress } from '../config/plan.ts';
import { OperationalError } from '../core/errors.ts';
import type { ComponentHealth, ComponentName, Emit } from '../core/event.ts';
import { closeApp, createApp, listen } from './app.ts';

export type MetricsServerOptions = {
  readonly listen: readonly ListenAddress[];
  readonly metrics: {
    /** The Content-Type of the text format that `render` writes. */
    readonly contentType: string;
    render(): string | Promise<string>;
  };
  /** `ready` decides between 200 and 503; the components are shown by name and health only. */
  readonly health: () => {
    readonly ready: boolean;
    readonly components: readonly { readonly component: ComponentName; readonly health: ComponentHealth }[];
  };
  readonly emit: Emit;
  /** Takes what `metrics` or `health` threw that is no OperationalError; the client has got a 500. */
  readonly onBug: (error: unknown) => void;
};

/** Where it listens, with the ports that the kernel chose, and why it does not listen elsewhere. */
export type MetricsListening = {
  readonly bound: readonly ListenAddress[];
  readonly errors: readonly OperationalError[];
};

export interface MetricsServer {
  /** Never rejects for the world's errors: an address that cannot be had leaves the others, and the daemon, running. */
  start(): Promise<MetricsListening>;
  stop(): Promise<void>;
}

/** A server that does not listen yet, with one app for each address. */
export function createMetricsServer(options: MetricsServerOptions): MetricsServer {
  const apps: FastifyInstance[] = [];
  return {
    start: async () => {
      const bound: ListenAddress[] = [];
      const errors: OperationalError[] = [];
      for (const address of options.listen) {
        const app = createMetricsApp(options);
        try {
          await app.ready();
          await listen(app.server, address);
          apps.push(app);
          bound.push({ host: address.host, port: (app.server.address() as AddressInfo).port });
        } catch (cause) {
          await app.close();
          errors.push(describeFailure(address, cause as NodeJS.ErrnoException));
        }
      }
      return { bound, errors };
    },
    stop: async () => {
      await Promise.all(apps.splice(0).map(closeApp));
    },
  };
}

function createMetricsApp(options: MetricsServerOptions): FastifyInstance {
  const app = createApp({ name: 'the metrics server', emit: options.emit, onBug: options.onBug });
  app.addHook('onSend', async (_request, reply) => {
    reply.headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
  });
  app.get('/metrics', async (_request, reply) => {
    const text = await options.metrics.render();
    return reply.type(options.metrics.contentType).send(text);
  });
  app.get('/healthz', () => ({ status: 'ok' }));
  app.get('/readyz', (_request, reply) => {
    const { ready, components } = options.health();
    reply.code(ready ? 200 : 503);
    return { ready, components: Object.fromEntries(components.map((one) => [one.component, one.health])) };
  });
  return app;
}

function describeFailure(address: ListenAddress, cause: NodeJS.ErrnoException): OperationalError {
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  const advice: Readonly<Record<string, string>> = {
    EADDRINUSE: `another program has this port, find it with: ss -ltnp 'sport = :${address.port}'; or set another one as listen in [metrics]`,
    EADDRNOTAVAIL: 'this host does not have that address: correct listen in [metrics]',
    EACCES: 'ports below 1024 need root or CAP_NET_BIND_SERVICE: set a higher one as listen in [metrics]',
  };
  return new OperationalError(`cannot serve metrics on ${host}:${address.port}: ${cause.message}`, {
    code: cause.code ?? 'listen',
    advice: advice[cause.code ?? ''] ?? '',
    retriable: cause.code === 'EADDRINUSE' || cause.code === 'EADDRNOTAVAIL',
    cause,
  });
}
