/** Reads server-sent events (HTML standard, section 9.2.6) as the daemon writes them: one line of data, ended by LF. */
import type { Readable } from 'node:stream';

/** `id` is null for an event without one. */
export type ServerSentEvent = { readonly name: string; readonly id: string | null; readonly data: string };

/** The daemon writes events of some hundred characters; what is longer than this is not one of its. */
const MAX_EVENT_LENGTH = 1024 * 1024;

/** The events of a stream until its end, or that of a connection that breaks; what is cut off is left out. */
export async function* readServerSentEvents(stream: Readable): AsyncGenerator<ServerSentEvent> {
  let rest = '';
  try {
    for await (const chunk of stream.setEncoding('utf8')) {
      rest += chunk as string;
      const events = rest.split('\n\n');
      rest = events.pop() ?? '';
      if (rest.length > MAX_EVENT_LENGTH) return;
      for (const text of events) yield readEvent(text);
    }
  } catch {
    // The daemon has gone in the middle of it; what the reader does then is the same as at the end.
  }
}

function readEvent(text: string): ServerSentEvent {
  const fields = new Map(
    text.split('\n').map((line) => {
      const colon = line.indexOf(': ');
      return [line.slice(0, colon), line.slice(colon + 2)];
    }),
  );
  return { name: fields.get('event') ?? '', id: fields.get('id') ?? null, data: fields.get('data') ?? '' };
}
