/** Asks the daemon, over HTTP on its control socket. */
import type { IncomingMessage } from 'node:http';
import { defaultPaths, SYSTEM_SOCKET_PATH } from '../config/paths.ts';
import { OperationalError } from '../core/errors.ts';
import type { ProblemReport } from '../http/control.ts';
import { request } from '../http/node-http.ts';
import { type SocketOptions, socketPathOf } from './command.ts';
import { countOf } from './render/table.ts';
import type { Terminal } from './render/terminal.ts';

/** What is sent: `/v1/bans`, already encoded. */
export type DaemonRequest = {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  /** How long to wait for the whole answer; a reload or a ban may take long, and has the default. */
  readonly timeoutMilliseconds?: number;
};

/** What is opened to be listened to. */
export type StreamRequest = {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Ends it, also while it is being opened. */
  readonly signal: AbortSignal;
};

type Reply = { readonly status: number; readonly text: string };

/** A reload runs every sample of every filter, and a ban waits for the kernel. */
const TIMEOUT_MILLISECONDS = 30_000;
/** About a million bans. */
const MAX_REPLY_BYTES = 256 * 1024 * 1024;
/** sockaddr_un's sun_path, unix(7), without the final NUL. */
const MAX_SOCKET_PATH_BYTES = 107;

/** A path of the API below /v1 from its parts, with the parameters that are not null. */
export function pathOf(
  parts: readonly string[],
  parameters: Readonly<Record<string, string | null | undefined>> = {},
): string {
  const query = Object.entries(parameters).flatMap(([name, value]) =>
    value === null || value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`],
  );
  const path = ['/v1', ...parts.map(encodeURIComponent)].join('/');
  return query.length === 0 ? path : `${path}?${query.join('&')}`;
}

/**
 * Sends one request and resolves to the report in the answer. Throws OperationalError: `daemon-not-running`,
 * `EACCES` (with advice), `no-answer`, or the daemon's own code with its message when it turned the request down.
 */
export async function askDaemon<Report>(
  options: SocketOptions,
  terminal: Terminal,
  asked: DaemonRequest,
): Promise<Report> {
  const { timeoutMilliseconds = TIMEOUT_MILLISECONDS } = asked;
  return withDaemon(options, terminal, async (socketPath) => {
    const signal = AbortSignal.timeout(timeoutMilliseconds);
    try {
      const message = await begin(socketPath, { ...asked, signal });
      return message === null ? null : readReport<Report>(socketPath, await readReply(message));
    } catch (error) {
      throw describeFailure(socketPath, signal.aborted ? timeoutMilliseconds : null, error);
    }
  });
}

/** Opens an answer that goes on; resolves when its head has come. Throws as askDaemon does, but for a time-out. */
export async function openStream(
  options: SocketOptions,
  terminal: Terminal,
  asked: StreamRequest,
): Promise<IncomingMessage> {
  return withDaemon(options, terminal, async (socketPath) => {
    try {
      const message = await begin(socketPath, { ...asked, method: 'GET' });
      if (message !== null && message.statusCode !== 200) readReport(socketPath, await readReply(message));
      return message;
    } catch (error) {
      throw describeFailure(socketPath, null, error);
    }
  });
}

/** What the first of the sockets that are meant answers; `ask` returns null where nobody listens. */
async function withDaemon<Answer>(
  options: SocketOptions,
  terminal: Terminal,
  ask: (socketPath: string) => Promise<Answer | null>,
): Promise<Answer> {
  const named = socketPathOf(options, terminal);
  const paths = named === null ? usualSocketPaths(terminal) : [named];
  for (const path of paths) {
    const answer = await ask(path);
    if (answer !== null) return answer;
  }
  throw new OperationalError(`the daemon is not running: nobody answers on ${paths.join(' or ')}`, {
    code: 'daemon-not-running',
    advice: 'start it with: systemctl start bailiff, or here in the foreground: bailiff run',
  });
}

/** A user has a daemon of their own, or else means the system's. */
function usualSocketPaths(terminal: Terminal): readonly string[] {
  const own = defaultPaths(terminal.userId, terminal.environment).socketPath;
  return own === SYSTEM_SOCKET_PATH ? [own] : [own, SYSTEM_SOCKET_PATH];
}

type Begun = {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
};

/** The head of an answer; null when nobody listens there. Rejects with the system's error. */
function begin(socketPath: string, { method, path, body, headers, signal }: Begun) {
  // A longer path would be cut to another one.
  if (Buffer.byteLength(socketPath) > MAX_SOCKET_PATH_BYTES) return Promise.resolve(null);
  const text = body === undefined ? null : JSON.stringify(body);
  const all = { ...headers, ...(text === null ? {} : { 'content-type': 'application/json' }) };
  return new Promise<IncomingMessage | null>((resolve, reject) => {
    const outgoing = request({ socketPath, method, path, headers: all, signal, agent: false }, resolve);
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') resolve(null);
      else reject(error);
    });
    outgoing.end(text ?? undefined);
  });
}

async function readReply(message: IncomingMessage): Promise<Reply> {
  return { status: message.statusCode ?? 0, text: await readText(message) };
}

async function readText(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of message) {
    chunks.push(chunk as Buffer);
    length += (chunk as Buffer).length;
    if (length > MAX_REPLY_BYTES) throw new Error(`the answer is longer than ${MAX_REPLY_BYTES} bytes`);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function readReport<Report>(socketPath: string, reply: Reply): Report {
  let report: unknown;
  try {
    report = JSON.parse(reply.text);
  } catch (cause) {
    throw new OperationalError(`what answers on ${socketPath} is not a bailiff daemon`, {
      code: 'no-answer',
      cause,
    });
  }
  if (reply.status < 400) return report as Report;
  const { detail, code } = (report ?? {}) as Partial<ProblemReport>;
  throw typeof detail === 'string' && typeof code === 'string'
    ? new OperationalError(detail, { code })
    : new OperationalError(`the daemon answered with status ${reply.status}`, { code: 'refused' });
}

function describeFailure(
  socketPath: string,
  elapsedMilliseconds: number | null,
  cause: unknown,
): OperationalError {
  if (cause instanceof OperationalError) return cause;
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code === 'EACCES' || code === 'EPERM') {
    return new OperationalError(`not allowed to open ${socketPath}`, {
      code: 'EACCES',
      advice: 'use sudo, or join the group bailiff (sudo usermod -aG bailiff $USER) and log in again',
      cause,
    });
  }
  const what =
    elapsedMilliseconds === null
      ? message
      : `no answer within ${countOf(elapsedMilliseconds / 1_000, 'second')}`;
  return new OperationalError(`the daemon on ${socketPath} did not answer: ${what}`, {
    code: 'no-answer',
    advice: 'its log may say why: journalctl -u bailiff',
    cause,
  });
}
