/**
 * Lines of the files that Docker's json-file driver writes, which is its default: `{"log":"text\n","stream":"stdout",
 * "time":"2026-12-01T13:49:07.940392539Z"}`, with `attrs` where it was asked for a tag or labels. Seen of Docker 26.1.5.
 */
import { markCut } from '../../core/record.ts';
import { MILLISECOND, type Microseconds } from '../../core/time.ts';

export type ContainerLine = {
  /** '' where the container was given none. */
  readonly tag: string;
  /** Null for the rest of a line that dockerd has broken at 16 KiB: it begins with what a client may have written. */
  readonly message: string | null;
  /** -1 when it says none. */
  readonly time: Microseconds;
};

const BEGINNING = '{"log":"';

/** Reads the lines of one file, in their order. */
export class JsonFileReader {
  /** Streams whose last line goes on in the next. */
  readonly #broken = new Set<string>();

  /** What the container said in this line; null for one of another form. */
  read(line: string): ContainerLine | null {
    const fields = line.startsWith(BEGINNING) ? parseFields(line) : null;
    if (fields === null) return null;
    const { log, stream, time, tag } = fields;
    const isRest = this.#broken.has(stream);
    const isWhole = log.endsWith('\n');
    if (isWhole) this.#broken.delete(stream);
    else this.#broken.add(stream);
    const text = isWhole ? log.slice(0, -1) : markCut(log);
    const milliseconds = Date.parse(time);
    return {
      tag,
      message: isRest ? null : text,
      time: Number.isNaN(milliseconds) ? -1 : milliseconds * MILLISECOND,
    };
  }
}

type Fields = Readonly<Record<'log' | 'time' | 'tag', string>> & { readonly stream: 'stdout' | 'stderr' };

function parseFields(line: string): Fields | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  const { log, stream, time, attrs } = value as Readonly<Record<string, unknown>>;
  if (typeof log !== 'string' || typeof time !== 'string' || (stream !== 'stdout' && stream !== 'stderr'))
    return null;
  const tag = typeof attrs === 'object' && attrs !== null && 'tag' in attrs ? attrs.tag : '';
  return { log, stream, time, tag: typeof tag === 'string' ? tag : '' };
}
