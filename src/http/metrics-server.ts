/**
 * Serves /metrics to Prometheus, /healthz and /readyz to supervisors, on TCP, over TLS when it is given a certificate.
 * Read-only and the same for all who may ask: everybody, or, except for /healthz, those with the token (RFC 6750). No
 * address, user or log text is in any answer.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ListenAddress } from '../config/plan.ts';
import type { ComponentHealth, ComponentName } from '../core/component.ts';
import { OperationalError } from '../core/errors.ts';
import type { Emit } from '../core/event.ts';
import type { Clock } from '../core/time.ts';
import { closeApp, createApp, listen, problemReport, sendProblem } from './app.ts';
import { TCP_LIMITS } from './connections.ts';
import { SharedPage } from './shared-page.ts';
import type { TlsIdentity } from './tls-server.ts';

export type MetricsServerOptions = {
  readonly listen: readonly ListenAddress[];
  /** Who does not present this may only see /healthz; null lets everybody read. */
  readonly token: string | null;
  /** Null for plain HTTP. */
  readonly tls: TlsIdentity | null;
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
  readonly clock: Clock;
  /** In place of READ_TIMEOUT_MILLISECONDS of a connection. */
  readonly readTimeoutMilliseconds?: number;
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

/** Tells that the process answers, and nothing else. */
const OPEN_ROUTE = '/healthz';

/** A server that does not listen yet, with one app for each address. */
export function createMetricsServer(options: MetricsServerOptions): MetricsServer {
  const apps: FastifyInstance[] = [];
  const page = new SharedPage(() => options.metrics.render(), options.clock);
  return {
    start: async () => {
      const bound: ListenAddress[] = [];
      const errors: OperationalError[] = [];
      for (const address of options.listen) {
        const app = createMetricsApp(options, page);
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

function createMetricsApp(options: MetricsServerOptions, page: SharedPage): FastifyInstance {
  const { emit, onBug, readTimeoutMilliseconds, tls, token } = options;
  const app = createApp({
    name: 'the metrics server',
    emit,
    onBug,
    limits: TCP_LIMITS,
    readTimeoutMilliseconds,
    ...(tls === null ? {} : { tls }),
  });
  app.addHook('onSend', async (_request, reply) => {
    reply.headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
  });
  if (token !== null) app.addHook('onRequest', requireToken(token));
  app.get('/metrics', async (_request, reply) => {
    const bytes = await page.read();
    return reply.type(options.metrics.contentType).send(bytes);
  });
  app.get(OPEN_ROUTE, () => ({ status: 'ok' }));
  app.get('/readyz', (_request, reply) => {
    const { ready, components } = options.health();
    reply.code(ready ? 200 : 503);
    return { ready, components: Object.fromEntries(components.map((one) => [one.component, one.health])) };
  });
  return app;
}

/** Refuses with 401 as RFC 6750 section 3 has it. How long it takes tells nothing about the token. */
function requireToken(token: string) {
  const digest = digestOf(token);
  return async (request: FastifyRequest, reply: FastifyReply) => {
    if (request.routeOptions.url === OPEN_ROUTE) return;
    const presented = /^bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
    if (presented !== undefined && timingSafeEqual(digestOf(presented), digest)) return;
    const error = presented === undefined ? '' : ', error="invalid_token"';
    return sendProblem(
      reply.header('www-authenticate', `Bearer realm="bailiff"${error}`),
      problemReport(401, 'unauthorized', 'send the token as: Authorization: Bearer TOKEN'),
    );
  };
}

/** Of one length whatever is presented, as the comparison needs it. */
function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
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
