/**
 * Reads one connection: from its bytes, which rsyslog may have compressed, to messages. The framer asks about pauses of
 * the sender; they are measured here.
 */
import type { Inflate } from 'node:zlib';
import type { FrameHandler } from '../../syslog/frame.ts';
import { Framer } from '../../syslog/framing.ts';
import { createStreamInflate, isCompressedStream } from '../compressed.ts';

export type ConnectionReaderOptions = {
  readonly maxMessageBytes: number;
  /** Before messages are taken, as many as have come at once. */
  readonly begin: () => void;
  readonly take: FrameHandler;
  /** Behind them; how many there were. */
  readonly end: (messages: number) => void;
  /** The sender ends its messages with nothing; called once. */
  readonly onUnseparated: () => void;
  /** What was compressed is damaged: nothing more can be read of it. */
  readonly onDamaged: () => void;
  /** Holds up the sender while what it has sent is read, and lets it go on. */
  readonly pause: () => void;
  readonly resume: () => void;
  /** In place of PAUSE_MILLISECONDS. */
  readonly pauseMilliseconds?: number | undefined;
};

/** Longer than TCP takes to send a lost segment three times: a sender that is quiet for so long has ended its write. */
export const PAUSE_MILLISECONDS = 3_000;

export class ConnectionReader {
  readonly #options: ConnectionReaderOptions;
  readonly #framer: Framer;
  #inflate: Inflate | null = null;
  #isBegun = false;
  #isTold = false;
  #messages = 0;
  #timer: NodeJS.Timeout | null = null;

  readonly #take: FrameHandler = (bytes, start, end, isCut) => {
    this.#messages++;
    this.#options.take(bytes, start, end, isCut);
  };

  constructor(options: ConnectionReaderOptions) {
    this.#options = options;
    this.#framer = new Framer(options.maxMessageBytes);
  }

  /** Takes the next bytes that came. */
  push(chunk: Buffer): void {
    if (!this.#isBegun) {
      this.#isBegun = true;
      if (isCompressedStream(chunk)) this.#inflate = this.#createInflate();
    }
    if (this.#inflate === null) this.#read(chunk);
    else if (!this.#inflate.write(chunk)) {
      this.#options.pause();
      this.#inflate.once('drain', this.#options.resume);
    }
  }

  /** No more will come. */
  end(isClosedBySender: boolean): void {
    const end = () => {
      if (this.#timer !== null) clearTimeout(this.#timer);
      this.#deal((take) => this.#framer.end(isClosedBySender, take));
    };
    if (this.#inflate === null) end();
    else this.#inflate.once('close', end).end();
  }

  #read(chunk: Buffer): void {
    this.#deal((take) => this.#framer.push(chunk, take));
    if (!this.#framer.isWaiting) return;
    const { pauseMilliseconds = PAUSE_MILLISECONDS } = this.#options;
    if (this.#timer !== null) this.#timer.refresh();
    else
      this.#timer = setTimeout(
        () => this.#deal((take) => this.#framer.settle(take)),
        pauseMilliseconds,
      ).unref();
  }

  #deal(frame: (take: FrameHandler) => void): void {
    const { begin, end, onUnseparated } = this.#options;
    begin();
    this.#messages = 0;
    frame(this.#take);
    end(this.#messages);
    if (this.#isTold || this.#framer.separator !== 'none') return;
    this.#isTold = true;
    onUnseparated();
  }

  #createInflate(): Inflate {
    const inflate = createStreamInflate();
    inflate.on('data', (chunk: Buffer) => this.#read(chunk));
    inflate.on('error', () => this.#options.onDamaged());
    return inflate;
  }
}
