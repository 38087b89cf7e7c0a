/**
 * The control API: JSON over HTTP on a unix socket, so that `curl --unix-socket` is a client. Whoever may open the
 * socket (its owner and one group) may do everything; it is never on TCP, where any web page could reach it.
 */
import { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { type Network, parseNetwork } from '../core/address/address.ts';
import { type Emit, EVENT_KINDS, type EventKind } from '../core/event.ts';
import { type BanLogPosition, parsePosition } from '../core/ledger/ban-log.ts';
import { printableJson } from '../core/text/printable.ts';
import { parseDuration } from '../core/time.ts';
import { closeApp, createApp, problemReport, sendProblem } from './app.ts';
import { SOCKET_LIMITS } from './connections.ts';
import {
  type BanReports,
  type BanRequest,
  type Control,
  ControlError,
  type LiftReport,
  type PingReport,
} from './control.ts';
import { EventFeed, type Subscribe } from './event-feed.ts';
import type { RequestShape } from './request-shape.ts';
import { listenOnSocketFile } from './socket-file.ts';

export type ControlServerOptions = {
  readonly socketPath: string;
  readonly control: Control;
  /** Starts a subscription to every event of the daemon. */
  readonly subscribe: Subscribe;
  /** Takes the server's own `limit` events. */
  readonly emit: Emit;
  /** Takes what `control` threw that is no ControlError or OperationalError; the client has got a 500. */
  readonly onBug: (error: unknown) => void;
  /** In place of READ_TIMEOUT_MILLISECONDS of a connection. */
  readonly readTimeoutMilliseconds?: number;
};

export interface ControlServer {
  /** Resolves when the socket is there. Throws OperationalError, see listenOnSocketFile. */
  start(): Promise<void>;
  /** Ends the event streams, waits a moment for replies under way, removes the socket. */
  stop(): Promise<void>;
}

/** Bans are serialised this many at a time, with a turn of the event loop between: 0.5 ms each, not one stall. */
const BANS_PER_CHUNK = 500;

const MAX_JAIL = 128;
const MAX_ADDRESS = 64;
const MAX_DURATION = 32;
const MAX_POSITION = 64;
/** `true`, and room for what is said of anything else. */
const MAX_ALL = 8;
/** Every kind of event at once. */
const MAX_KINDS = 1_024;
const NO_QUERY: RequestShape = { words: {}, required: [] };
const JAIL_QUERY: RequestShape = { words: { jail: MAX_JAIL }, required: [] };
const BANS_QUERY: RequestShape = { words: { jail: MAX_JAIL, since: MAX_POSITION }, required: [] };
const EVENTS_QUERY: RequestShape = { words: { kinds: MAX_KINDS, since: MAX_POSITION }, required: [] };
const LIFT_QUERY: RequestShape = {
  words: { jail: MAX_JAIL, address: MAX_ADDRESS, all: MAX_ALL },
  required: [],
};
const BAN_BODY: RequestShape = {
  words: { address: MAX_ADDRESS, jail: MAX_JAIL, for: MAX_DURATION },
  required: ['address'],
};

type JailQuery = { readonly jail?: string };
type BansQuery = JailQuery & { readonly since?: string };
type EventsQuery = { readonly kinds?: string; readonly since?: string };
type LiftQuery = JailQuery & { readonly address?: string; readonly all?: string };

/** A server that does not listen yet. */
export function createControlServer(options: ControlServerOptions): ControlServer {
  const { emit, onBug, readTimeoutMilliseconds } = options;
  const app = createApp({
    name: 'the control socket',
    emit,
    onBug,
    limits: SOCKET_LIMITS,
    readTimeoutMilliseconds,
  });
  const feed = new EventFeed(options);
  addStateRoutes(app, options.control);
  addBanRoutes(app, options.control);
  addEventRoute(app, options.control, feed);
  app.addHook('preClose', async () => feed.close());
  return {
    start: async () => {
      await app.ready();
      await listenOnSocketFile(app.server, options.socketPath);
    },
    stop: () => closeApp(app),
  };
}

function addStateRoutes(app: FastifyInstance, control: Control): void {
  const plain = { schema: { querystring: NO_QUERY } };
  app.get('/v1/ping', plain, (): PingReport => ({ answer: 'pong' }));
  app.get('/v1/version', plain, () => control.version());
  app.get('/v1/status', plain, () => control.status());
  app.get('/v1/warnings', plain, () => control.warnings());
  app.get<{ Params: { name: string } }>('/v1/jails/:name', plain, (request, reply) => {
    const { bans, ...rest } = control.jail(request.params.name);
    return sendWithBans(reply, rest, bans);
  });
  app.get<{ Params: { '*': string }; Querystring: JailQuery }>(
    '/v1/addresses/*',
    { schema: { querystring: JAIL_QUERY } },
    (request) => control.address(readNetwork(request.params['*']), request.query.jail ?? null),
  );
  app.get('/v1/senders', plain, () => control.senders());
  app.post('/v1/reload', plain, () => control.reload());
}

function addBanRoutes(app: FastifyInstance, control: Control): void {
  app.get<{ Querystring: BansQuery }>(
    '/v1/bans',
    { schema: { querystring: BANS_QUERY } },
    async (request, reply) => {
      const { jail, since } = request.query;
      if (since === undefined)
        return sendWithBans(reply, { position: control.banPosition() }, control.bans(jail ?? null));
      // Throws where there is no such jail.
      if (jail !== undefined) control.bans(jail);
      const news = await control.bansSince(readPosition(since), jail ?? null);
      if (!('reset' in news)) return news;
      const { bans, ...head } = news;
      return sendWithBans(reply, head, bans);
    },
  );
  app.post<{ Body: BanRequest }>(
    '/v1/bans',
    { schema: { querystring: NO_QUERY, body: BAN_BODY } },
    (request) => control.ban(readBanRequest(request.body)),
  );
  app.delete<{ Querystring: LiftQuery }>(
    '/v1/bans',
    { schema: { querystring: LIFT_QUERY } },
    async (request): Promise<LiftReport> => {
      const { address, jail, all } = request.query;
      if (all !== undefined && all !== 'true') throw ALL_IS_NOT_TRUE;
      if ((address === undefined) !== (all === undefined)) {
        return address === undefined ? control.unbanAll(jail ?? null) : unban(control, address, jail);
      }
      throw address === undefined ? NOBODY_NAMED : NAMED_AND_ALL;
    },
  );
  // A wildcard takes a network's slash as it is and as %2F; with nothing in its place it must not mean every ban.
  app.delete<{ Params: { '*': string }; Querystring: JailQuery }>(
    '/v1/bans/*',
    { schema: { querystring: JAIL_QUERY } },
    (request) => unban(control, request.params['*'], request.query.jail),
  );
}

function addEventRoute(app: FastifyInstance, control: Control, feed: EventFeed): void {
  app.get<{ Querystring: EventsQuery }>(
    '/v1/events',
    { exposeHeadRoute: false, schema: { querystring: EVENTS_QUERY } },
    (request, reply) => {
      const kinds = readKinds(request.query.kinds);
      // A browser that comes back sends both, the query as it was at first.
      const known = request.headers['last-event-id'] ?? request.query.since;
      const since = known === undefined ? null : readPosition(`${known}`);
      const missed = since === null ? null : () => control.bansSince(since, null);
      if (!feed.attach(reply.raw, { kinds, missed })) {
        return sendProblem(
          reply,
          problemReport(503, 'event-listeners', 'too many clients listen to events already'),
        );
      }
      return reply.hijack();
    },
  );
}

/** What would lift every ban by mistake: a script whose variable is empty. */
const NOBODY_NAMED = new ControlError(
  400,
  'nobody-named',
  'name an address, as /v1/bans/203.0.113.9; to lift every ban, of one jail with jail=NAME, ask for it with ?all=true',
);
const NAMED_AND_ALL = new ControlError(400, 'bad-request', 'name an address or ask for all=true, not both');
const ALL_IS_NOT_TRUE = new ControlError(400, 'bad-request', 'the only value of all is true');

function unban(control: Control, address: string, jail: string | undefined): Promise<LiftReport> {
  return control.unban(readNetwork(address), jail ?? null);
}

function readBanRequest(body: BanRequest): BanRequest {
  if (body.for !== undefined && parseDuration(body.for) === null) {
    throw new ControlError(
      400,
      'bad-duration',
      `"${body.for}" is not a duration: write it as 10m, 1h, 1d12h or forever`,
    );
  }
  return { ...body, address: readNetwork(body.address) };
}

function readPosition(text: string): BanLogPosition {
  const position = parsePosition(text);
  if (position !== null) return position;
  throw new ControlError(
    400,
    'bad-position',
    `"${text.slice(0, MAX_POSITION)}" is not a position: hand in the one of your last answer or event, or ask for all bans`,
  );
}

function readKinds(text: string | undefined): ReadonlySet<EventKind> | null {
  if (text === undefined) return null;
  const kinds = text.split(',');
  const unknown = kinds.find((kind) => !Object.hasOwn(EVENT_KINDS, kind));
  if (unknown === undefined) return new Set(kinds as EventKind[]);
  const known = Object.keys(EVENT_KINDS).join(', ');
  throw new ControlError(
    400,
    'bad-kind',
    `there are no events of kind "${unknown}"; the kinds are: ${known}`,
  );
}

function readNetwork(text: string): Network {
  const network = parseNetwork(text);
  if (network !== null) return network;
  const example = 'write it as 203.0.113.9, 2001:db8::1 or 203.0.113.0/24';
  throw new ControlError(
    400,
    'bad-address',
    `"${text.slice(0, 64)}" is not an address or a network: ${example}`,
  );
}

/** Sends `head` as a JSON object whose last member is `bans`, however many they are. */
function sendWithBans(reply: FastifyReply, head: object, bans: BanReports): FastifyReply {
  return reply
    .type('application/json; charset=utf-8')
    .send(Readable.from(serialiseWithBans(head, bans), { highWaterMark: 1 }));
}

async function* serialiseWithBans(head: object, bans: BanReports): AsyncGenerator<string> {
  const members = printableJson(head).slice(1, -1);
  yield `{${members}${members === '' ? '' : ','}"bans":[`;
  for (let start = 0; start < bans.length; start += BANS_PER_CHUNK) {
    const chunk = bans.slice(start, start + BANS_PER_CHUNK).map((ban) => printableJson(ban));
    yield `${start === 0 ? '' : ','}${chunk.join(',')}`;
    await nextTurn();
  }
  yield ']}\n';
}
