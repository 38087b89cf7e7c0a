/** A place in a text, shown as a line with a caret below it. */
import { printable } from '../../core/text/printable.ts';

export type Excerpt = {
  /** The part of the text around the place, printable, with `…` where something was cut away. */
  readonly text: string;
  /** Column of the caret in `text`, from 0; behind the end when something is missing there. */
  readonly column: number;
};

const CUT = '…';

/** The text around the character at `offset`, in `width` columns at most. */
export function excerptAround(text: string, offset: number, width: number): Excerpt {
  const room = width - 2 * CUT.length;
  // Each character takes a column at least, so no more of the text than this can be shown.
  const before = printable(text.slice(Math.max(0, offset - room), offset));
  const after = printable(text.slice(offset, offset + room));
  const isWhole = offset <= room && text.length - offset <= room && before.length + after.length <= width;
  if (isWhole) return { text: before + after, column: before.length };
  const afterLength = Math.min(after.length, Math.max(Math.floor(room / 2), room - before.length));
  const beforeLength = Math.min(before.length, room - afterLength);
  const head = beforeLength < before.length || offset > room ? CUT : '';
  const tail = afterLength < after.length || text.length - offset > room ? CUT : '';
  const shown = before.slice(before.length - beforeLength) + after.slice(0, afterLength);
  return { text: head + shown + tail, column: head.length + beforeLength };
}
