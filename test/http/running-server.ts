/** A control server on a socket in a directory of its own, and a client that sends a request exactly as it is told. */
import { mkdtempSync, rmSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { BailiffEvent, Emit } from '../../src/core/event.ts';
import {
  type ControlServer,
  type ControlServerOptions,
  createControlServer,
} from '../../src/http/control-server.ts';
import { FakeControl } from './fake-control.ts';

export type RunningServer = {
  readonly directory: string;
  readonly socketPath: string;
  readonly control: FakeControl;
  readonly server: ControlServer;
  /** What the server itself has emitted. */
  readonly emitted: BailiffEvent[];
  readonly bugs: unknown[];
  /** Whoever is subscribed to the daemon's events. */
  readonly subscribers: Set<Emit>;
  /** Tells every subscriber. */
  readonly publish: Emit;
};

export type Answer = {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
};

export function makeDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'bailiff-test-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** In a directory of its own, or in that of a server that has been stopped. */
export async function startServer(
  t: TestContext,
  control: FakeControl = new FakeControl(),
  directory: string = makeDirectory(t),
  options: Pick<ControlServerOptions, 'readTimeoutMilliseconds'> = {},
): Promise<RunningServer> {
  const socketPath = join(directory, 'bailiff.sock');
  const emitted: BailiffEvent[] = [];
  const bugs: unknown[] = [];
  const subscribers = new Set<Emit>();
  const server = createControlServer({
    socketPath,
    control,
    subscribe: (listener) => {
      subscribers.add(listener);
      return () => subscribers.delete(listener);
    },
    emit: (event) => emitted.push(event),
    onBug: (error) => bugs.push(error),
    ...options,
  });
  await server.start();
  t.after(() => server.stop());
  const publish: Emit = (event) => {
    for (const subscriber of subscribers) subscriber(event);
  };
  return { directory, socketPath, control, server, emitted, bugs, subscribers, publish };
}

export type Sent = {
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
};

/** One request on a connection of its own; resolves when the whole answer has come. */
export async function send(
  to: { readonly socketPath: string } | { readonly port: number },
  method: string,
  path: string,
  sent: Sent = {},
): Promise<Answer> {
  const message = await open(to, method, path, sent);
  let text = '';
  for await (const chunk of message.setEncoding('utf8')) text += chunk;
  return { status: message.statusCode ?? 0, headers: message.headers, text };
}

/** As send, but resolves at the head of the answer. */
export function open(
  to: { readonly socketPath: string } | { readonly port: number },
  method: string,
  path: string,
  sent: Sent = {},
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { body, headers } = sent;
    const outgoing = request({ ...to, method, path, agent: false, headers: { ...headers } }, resolve);
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

export const JSON_BODY: Readonly<Record<string, string>> = { 'content-type': 'application/json' };
