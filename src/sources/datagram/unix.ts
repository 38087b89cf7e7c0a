/**
 * Syslog from programs of this host, at a unix socket of datagrams as /dev/log is one: nginx, HAProxy, Apache's piped
 * logs. Its records belong to this host, so they have no sender; and anybody of this host may write there, so they
 * carry the trusted fields of whoever did, and a filter reads them as it reads entries of the journal.
 */

import { OperationalError } from '../../core/errors.ts';
import type { Emit } from '../../core/event.ts';
import type { Clock } from '../../core/time.ts';
import type { DatagramReceiver } from '../../native/datagram-receiver.ts';
import { adoptDatagramSocket, type DatagramSocket } from '../../native/datagram-socket.ts';
import type { Elapsed } from '../../native/machine-clocks.ts';
import { Tally } from '../../senders/tally.ts';
import { isCutLength } from '../../syslog/cuts.ts';
import { type Origin, SyslogParser } from '../../syslog/parse.ts';
import { Batcher, type ListenerState, type ListeningSource } from '../listen.ts';
import type { Sink } from '../source.ts';
import { DatagramListener } from './listener.ts';
import { LocalPeers } from './local-peers.ts';
import { type BoundPath, bindSocketPath } from './socket-path.ts';

export type UnixOptions = {
  readonly path: string;
  readonly maxMessageBytes: number;
  /** Whose records are believed as they are, whatever program they name. */
  readonly believedUids: ReadonlySet<number>;
  readonly clock: Clock;
  readonly elapsed: Elapsed;
  readonly sink: Sink;
  readonly emit: Emit;
  readonly onState: (state: ListenerState) => void;
  /** A socket that is bound to `path` already, and is left open, with its file. */
  readonly adopted?: { readonly fd: number };
};

/** A listener at one path. It never throws; what goes wrong is told by events and `onState`. */
export function createUnixSource(options: UnixOptions): ListeningSource {
  return new UnixSource(options);
}

class UnixSource implements ListeningSource {
  readonly #options: UnixOptions;
  readonly #tally: Tally;
  readonly #batcher: Batcher;
  readonly #listener: DatagramListener;
  readonly #peers = new LocalPeers();
  readonly #parser = new SyslogParser();
  readonly #origin: Origin = { at: 0, source: 'unix', sender: '' };
  #bound: BoundPath | null = null;

  constructor(options: UnixOptions) {
    this.#options = options;
    this.#tally = new Tally(options.emit);
    this.#batcher = new Batcher('unix', options.sink);
    this.#listener = new DatagramListener({
      source: 'unix',
      listener: `unix ${options.path}`,
      maxMessageBytes: options.maxMessageBytes,
      lossIntervalMilliseconds: undefined,
      loss: { told: 0 },
      elapsed: options.elapsed,
      emit: options.emit,
      onState: options.onState,
      open: () => this.#open(),
      endpoint: () => options.path,
      begin: () => {
        this.#origin.at = options.clock.now();
      },
      take: (receiver, index) => this.#take(receiver, index),
      settle: () => this.#batcher.flush(),
      describeFailure: (error, pause) => describeFailure(options.path, error, pause),
    });
  }

  start(): Promise<void> {
    return this.#listener.start();
  }

  async stop(): Promise<void> {
    await this.#listener.stop(this.#options.adopted !== undefined);
    this.#bound?.remove();
    this.#bound = null;
    this.#batcher.flush();
    this.#tally.report();
  }

  /** It has no port. */
  address(): null {
    return null;
  }

  #open(): DatagramSocket {
    const { adopted, path } = this.#options;
    if (adopted !== undefined) return adoptDatagramSocket(adopted.fd);
    this.#bound = bindSocketPath(path);
    return this.#bound.socket;
  }

  #take(receiver: DatagramReceiver, index: number): void {
    const start = receiver.startOf(index);
    const length = receiver.lengthOf(index);
    const sentLength = receiver.sentLengthOf(index);
    const isCut = length < sentLength;
    const mayBeCut = isCut || isCutLength(sentLength);
    const record = this.#parser.parse(receiver.bytes, start, start + length, this.#origin, mayBeCut);
    if (isCut) this.#countCut();
    if (record === null) {
      this.#countEmpty();
      return;
    }
    const peer = receiver.credentialsOf(index);
    const isBelieved = peer !== null && this.#options.believedUids.has(peer.uid);
    const trusted = isBelieved ? null : this.#peers.identify(peer, this.#origin.at);
    this.#batcher.addBytes(sentLength);
    this.#batcher.add({ ...record, trusted });
  }

  #countEmpty(): void {
    this.#tally.add('empty', '', (_, count) => ({
      kind: 'rejected',
      source: 'unix',
      sender: '',
      reason: 'empty',
      count,
    }));
  }

  #countCut(): void {
    const { maxMessageBytes, path } = this.#options;
    this.#tally.add('message-length', '', (_, count) => ({
      kind: 'limit',
      limit: 'message-length',
      detail: `unix messages at ${path} cut at ${maxMessageBytes} bytes`,
      count,
    }));
  }
}

function describeFailure(path: string, error: unknown, retryMilliseconds: number): ListenerState {
  const code = error instanceof OperationalError ? error.code : '';
  const [reason, advice] = REASONS.get(code) ?? [error instanceof Error ? error.message : String(error), ''];
  return {
    source: 'unix',
    listener: `unix ${path}`,
    health: 'down',
    detail: `cannot listen on unix ${path}: ${reason}; trying again in ${retryMilliseconds / 1_000} s`,
    advice,
  };
}

const REASONS: ReadonlyMap<string, readonly [reason: string, advice: string]> = new Map([
  ['EADDRINUSE', ['another program receives there', 'find it with: ss -xlp, or choose another path']],
  ['not-a-socket', ['a file of another kind is there', 'move it away, or choose another path']],
  ['EACCES', ['no permission', 'choose a path in a directory that the daemon may write to']],
  ['EPERM', ['no permission', 'choose a path in a directory that the daemon may write to']],
  ['EROFS', ['the file system is read-only', 'choose a path below /run/bailiff']],
]);
