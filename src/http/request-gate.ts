/**
 * A connection as Node.js's HTTP server gets to see it: with one request at a time. By itself Node.js begins every
 * request that came in one piece, up to 2,500 in 64 KiB, and keeps all answers in memory until somebody reads them.
 * Here bytes are handed on line by line, so that no more than one head of a request is among them, and nothing behind a
 * whole request before the kernel has taken its answer. The rest waits, and most of it with the client.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

/**
 * What a connection does: waits for a request, of which a part may have come; answers one; or has written a part of the
 * answer that its client has not read yet.
 */
export type Occupation = 'waiting' | 'answering' | 'unread';

export type RequestGateOptions = {
  /** Begins with 'waiting'; called when it does something else. */
  readonly onOccupied: (occupation: Occupation) => void;
  /** A further request came before the answer to the one before it was read: it waits. */
  readonly onPipelined: () => void;
  /** Nobody has read what was written: the connection is closed. */
  readonly onAbandoned: () => void;
  /** In place of READ_TIMEOUT_MILLISECONDS. */
  readonly readTimeoutMilliseconds?: number | undefined;
};

/** What was written at once must have been read after this time, as far as the kernel does not keep it itself. */
export const READ_TIMEOUT_MILLISECONDS = 10_000;

/** A line costs some 3 µs; who sends nothing but line ends shall not keep the others waiting. */
const MAX_LINES_PER_TURN = 32;

const LINE_FEED = 10;
const NOTHING = Buffer.alloc(0);

export class RequestGate extends Duplex {
  readonly #socket: Socket;
  readonly #options: RequestGateOptions;
  /** Bytes that have come and were not handed on. */
  #held: Buffer = NOTHING;
  #isEnded = false;
  /** Whether the server has asked for more. */
  #isAsked = false;
  #request: IncomingMessage | null = null;
  #isAnswering = false;
  #isNextTold = false;
  #lines = 0;
  #readTimer: NodeJS.Timeout | null = null;

  constructor(socket: Socket, options: RequestGateOptions) {
    // One line at a time: the next one is asked for when that one has been read.
    super({ readableHighWaterMark: 1 });
    this.#socket = socket;
    this.#options = options;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('end', () => this.#end());
    socket.on('timeout', () => this.emit('timeout'));
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.destroy());
  }

  /** For the server, with each request that it begins. */
  begin(request: IncomingMessage, response: ServerResponse): void {
    this.#request = request;
    this.#isAnswering = true;
    this.#isNextTold = false;
    this.#options.onOccupied('answering');
    response.once('close', () => {
      this.#isAnswering = false;
      if (this.destroyed) return;
      this.#options.onOccupied('waiting');
      this.#handOn();
    });
  }

  /** For the server: closes the connection when a client says nothing for so long. */
  setTimeout(milliseconds: number, onTimeout?: () => void): this {
    this.#socket.setTimeout(milliseconds);
    if (onTimeout !== undefined) this.once('timeout', onTimeout);
    return this;
  }

  /** For the server: closes the connection when all has been written. */
  destroySoon(): void {
    this.end(() => this.destroy());
  }

  override _read(): void {
    this.#isAsked = true;
    this.#handOn();
  }

  override _write(chunk: Buffer, _encoding: string, written: (error?: Error | null) => void): void {
    this.#watchReader();
    this.#socket.write(chunk, (error) => {
      this.#stopWatching();
      written(error);
    });
  }

  override _writev(chunks: readonly { chunk: Buffer }[], written: (error?: Error | null) => void): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), '', written);
  }

  override _final(ended: (error?: Error | null) => void): void {
    this.#socket.end(() => ended());
  }

  override _destroy(error: Error | null, destroyed: (error?: Error | null) => void): void {
    this.#stopWatching();
    this.#socket.destroy();
    destroyed(error);
  }

  #take(chunk: Buffer): void {
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    this.#handOn();
    if (this.#held.length > 0) this.#socket.pause();
  }

  #end(): void {
    this.#isEnded = true;
    if (this.#held.length === 0) this.push(null);
  }

  /** Whether a whole request has come whose answer has not been read. */
  get #isHeldUp(): boolean {
    return this.#isAnswering && this.#request?.complete === true;
  }

  #handOn(): void {
    if (this.destroyed) return;
    if (this.#isHeldUp) this.#tellOfNext();
    if (!this.#isAsked || this.#isHeldUp) return;
    if (this.#held.length === 0) {
      this.#socket.resume();
      return;
    }
    if (this.#lines === MAX_LINES_PER_TURN) {
      this.#lines++;
      setImmediate(() => {
        this.#lines = 0;
        this.#handOn();
      });
    }
    if (this.#lines > MAX_LINES_PER_TURN) return;
    this.#lines++;
    this.#isAsked = false;
    const end = this.#held.indexOf(LINE_FEED) + 1 || this.#held.length;
    const line = this.#held.subarray(0, end);
    this.#held = this.#held.subarray(end);
    this.push(line);
    if (this.#isEnded && this.#held.length === 0) this.push(null);
  }

  #tellOfNext(): void {
    if (this.#held.length === 0 || this.#isNextTold) return;
    this.#isNextTold = true;
    this.#options.onPipelined();
  }

  #watchReader(): void {
    const { onOccupied, onAbandoned, readTimeoutMilliseconds = READ_TIMEOUT_MILLISECONDS } = this.#options;
    onOccupied('unread');
    this.#readTimer = setTimeout(() => {
      onAbandoned();
      this.destroy();
    }, readTimeoutMilliseconds).unref();
  }

  #stopWatching(): void {
    if (this.#readTimer === null) return;
    clearTimeout(this.#readTimer);
    this.#readTimer = null;
    if (!this.destroyed) this.#options.onOccupied('answering');
  }
}
