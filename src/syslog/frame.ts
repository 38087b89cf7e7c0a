/** What framing gives: messages, as places in bytes. */

/**
 * Takes one message as bytes[start, end), which are valid until it returns. A counted message still has the LF that
 * some clients count. `isCut` says that the message went on, over the limit or beyond the end of its connection.
 */
export type FrameHandler = (bytes: Buffer, start: number, end: number, isCut: boolean) => void;
