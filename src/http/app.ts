/** What every HTTP server of the daemon has in common: limits, and problems as RFC 9457 has them. */
import type { Server } from 'node:http';
import type { ListenOptions, Socket } from 'node:net';
import fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import { OperationalError } from '../core/errors.ts';
import type { Emit } from '../core/event.ts';
import { printableJson } from '../core/text/printable.ts';
import type { ConnectionLimits } from './connections.ts';
import { ControlError, type ProblemReport } from './control.ts';
import { createGatedServer } from './gated-server.ts';
import { STATUS_CODES } from './node-http.ts';
import { checkRequestShapes, NO_SCHEMA_COMPILERS } from './request-shape.ts';
import type { TlsIdentity } from './tls-server.ts';

/** Every request is a few short words. */
export const MAX_BODY_BYTES = 16 * 1024;
/** A request must have arrived whole after this time, also when nothing of it has come yet. */
const REQUEST_TIMEOUT_MILLISECONDS = 10_000;
const KEEP_ALIVE_MILLISECONDS = 20_000;
const HTTP_LIMITS = {
  requestTimeout: REQUEST_TIMEOUT_MILLISECONDS,
  headersTimeout: REQUEST_TIMEOUT_MILLISECONDS,
  keepAliveTimeout: KEEP_ALIVE_MILLISECONDS,
  connectionsCheckingInterval: 2_000,
};
/** How long stopping waits for replies under way. */
const STOP_TIMEOUT_MILLISECONDS = 1_000;
/** How much of an unknown path is repeated in the answer. */
const MAX_SHOWN_PATH = 100;
/** RFC 9457, section 3. */
const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';
/** Those that a route may have. */
const METHODS = ['GET', 'HEAD', 'POST', 'DELETE'] as const;

export type AppOptions = {
  /** For people, in events: `the control socket`. */
  readonly name: string;
  readonly emit: Emit;
  readonly limits: ConnectionLimits;
  /** In place of READ_TIMEOUT_MILLISECONDS. */
  readonly readTimeoutMilliseconds?: number | undefined;
  /** Takes what a handler threw that is no error of the world's; the client has got a 500. */
  readonly onBug: (error: unknown) => void;
  /** Serves HTTPS with these; plain HTTP when absent. */
  readonly tls?: TlsIdentity;
};

/** A Fastify app without routes. It writes no log of its own: nothing of a request is kept. */
export function createApp(options: AppOptions): FastifyInstance {
  const app = fastify({
    serverFactory: (handler) => createGatedServer(options, HTTP_LIMITS, handler),
    logger: false,
    bodyLimit: MAX_BODY_BYTES,
    // An unknown word is an error: `?jial=sshd`, silently removed, would mean every jail.
    schemaController: NO_SCHEMA_COMPILERS,
    frameworkErrors: (error, _request, reply: FastifyReply) => answerError(error, reply, options.onBug),
    clientErrorHandler: refuseMalformed,
  });
  checkRequestShapes(app);
  app.setReplySerializer((payload) => `${printableJson(payload)}\n`);
  app.setErrorHandler((error, _request, reply) => answerError(error, reply, options.onBug));
  app.setNotFoundHandler(answerNotFound);
  return app;
}

/** Listens; rejects with the system's error (`EADDRINUSE` and the like). */
export function listen(server: Server, where: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(where, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Stops listening and waits for replies under way, but not for long. */
export async function closeApp(app: FastifyInstance): Promise<void> {
  const cut = setTimeout(() => app.server.closeAllConnections(), STOP_TIMEOUT_MILLISECONDS);
  // Fastify leaves a server that it has not made itself open.
  const closed = new Promise<void>((resolve) => app.server.close(() => resolve()));
  await app.close();
  await closed;
  clearTimeout(cut);
}

export function problemReport(status: number, code: string, detail: string): ProblemReport {
  return { title: STATUS_CODES[status] ?? 'Unknown', status, detail, code };
}

/** Answers with a problem; all of them have this form. */
export function sendProblem(reply: FastifyReply, report: ProblemReport): FastifyReply {
  return reply.code(report.status).type(PROBLEM_TYPE).send(report);
}

function answerError(error: unknown, reply: FastifyReply, onBug: (error: unknown) => void): FastifyReply {
  if (error instanceof ControlError) {
    const { status, code, message, heldBy } = error;
    const report = problemReport(status, code, message);
    return sendProblem(reply, heldBy === undefined ? report : { ...report, heldBy });
  }
  if (error instanceof OperationalError) {
    const message = error.advice === '' ? error.message : `${error.message}; ${error.advice}`;
    return sendProblem(reply, problemReport(503, error.code, message));
  }
  const { statusCode, code, message } = error as Partial<FastifyError>;
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    const detail = 'the body must be JSON, sent as content-type application/json';
    return sendProblem(reply, problemReport(415, 'bad-request', detail));
  }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return sendProblem(reply, problemReport(statusCode, 'bad-request', `${message}`));
  }
  onBug(error);
  return sendProblem(reply, problemReport(500, 'bug', 'the daemon failed on this request; its log says why'));
}

function answerNotFound(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const url = request.url.split('?', 1)[0] ?? '';
  const path = request.url.slice(0, MAX_SHOWN_PATH);
  const allowed = METHODS.filter((method) => request.server.hasRoute({ method, url }));
  if (allowed.length === 0) {
    return sendProblem(reply, problemReport(404, 'no-such-route', `there is no ${request.method} ${path}`));
  }
  const detail = `there is no ${request.method} ${path}, only ${allowed.join(' and ')}`;
  return sendProblem(reply.header('allow', allowed.join(', ')), problemReport(405, 'no-such-method', detail));
}

/** Answers what is not HTTP at all, or never became a whole request. */
function refuseMalformed(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  const timedOut = error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
  const report = timedOut
    ? problemReport(408, 'bad-request', 'the request took too long')
    : problemReport(400, 'bad-request', 'this is not a valid HTTP request');
  const body = `${printableJson(report)}\n`;
  socket.end(
    `HTTP/1.1 ${report.status} ${report.title}\r\ncontent-type: ${PROBLEM_TYPE}\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}
