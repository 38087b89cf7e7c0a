/**
 * Messages that are one JSON object, as Caddy, Traefik, Grafana, Authelia and many others write them, also after the
 * `@cee:` cookie that rsyslog and syslog-ng know. Parsed once for all rules that look at the same message.
 */

/** Longer messages are not read as JSON. */
export const MAX_JSON_LENGTH = 65_536;

const COOKIE = '@cee:';

/** The last message that was parsed. */
export class JsonMessage {
  #text = '';
  #value: unknown = null;

  /** Parses `text`, unless it is the one that was parsed last. Returns whether it is an object. */
  scan(text: string): boolean {
    if (text !== this.#text) {
      this.#text = text;
      this.#value = parseObject(text);
    }
    return this.#value !== null;
  }

  /**
   * A member of the object scanned last, as text; undefined when it is absent, null, an object or an array. `path` is
   * first taken as a key with dots in it, then as a path; numbers in a path count an array's items from 0.
   */
  field(path: string): string | undefined {
    let value = member(this.#value, path);
    if (value === undefined && path.includes('.')) {
      value = this.#value;
      for (const key of path.split('.')) value = member(value, key);
    }
    if (typeof value === 'string') return value;
    return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
  }
}

function parseObject(text: string): unknown {
  if (text.length > MAX_JSON_LENGTH) return null;
  const body = text.startsWith(COOKIE) ? text.slice(COOKIE.length).trimStart() : text;
  if (body[0] !== '{') return null;
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}

function member(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[key];
}
