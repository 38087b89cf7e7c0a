/** Finds which of many values fit a text by how it begins: a radix tree, one comparison for each of its edges. */

type Node<Value> = {
  /** What leads here from the node above. */
  readonly label: string;
  /** What of the label can be compared with bytes: each such character is the same byte in any UTF-8, valid or not. */
  readonly asciiLabel: string;
  /** Values of all prefixes that end here or above, in their order. */
  readonly values: readonly Value[];
  /** By the first character of their labels. */
  readonly children: ReadonlyMap<number, Node<Value>>;
};

type Entry = { readonly prefix: string; readonly index: number };

export class PrefixTree<Value> {
  readonly #root: Node<Value>;

  /** A value fits every text that begins with one of its prefixes; '' begins every text. */
  constructor(values: readonly Value[], prefixesOf: (value: Value) => readonly string[]) {
    const entries = values.flatMap((value, index) => prefixesOf(value).map((prefix) => ({ prefix, index })));
    this.#root = buildNode(values, entries, '', new Set());
  }

  /** The values that fit the text, in the order in which they were given. */
  find(text: string): readonly Value[] {
    let node = this.#root;
    let offset = 0;
    for (;;) {
      const child = node.children.get(text.charCodeAt(offset));
      if (child === undefined || !text.startsWith(child.label, offset)) return node.values;
      offset += child.label.length;
      node = child;
    }
  }

  /**
   * Whether `find` may find any value for the text that the UTF-8 in bytes[start, end) is, without decoding it. A prefix is
   * compared as far as it is ASCII.
   */
  mayFindBytes(bytes: Uint8Array, start: number, end: number): boolean {
    let node = this.#root;
    let offset = start;
    while (node.values.length === 0) {
      const byte = offset < end ? (bytes[offset] ?? 0) : -1;
      if (byte >= FIRST_BEYOND_ASCII) return node.children.keys().some((code) => code >= FIRST_BEYOND_ASCII);
      const child = node.children.get(byte);
      if (child === undefined || !standsAt(child.asciiLabel, bytes, offset, end)) return false;
      if (child.asciiLabel.length < child.label.length) return true;
      offset += child.label.length;
      node = child;
    }
    return true;
  }
}

const FIRST_BEYOND_ASCII = 0x80;

/** Whether the text, of nothing but ASCII, stands in bytes[start, end) at `start`. */
function standsAt(text: string, bytes: Uint8Array, start: number, end: number): boolean {
  if (start + text.length > end) return false;
  for (let index = 0; index < text.length; index++) {
    if (text.charCodeAt(index) !== bytes[start + index]) return false;
  }
  return true;
}

/** Builds the node that `label` leads to; the entries' prefixes are what is left behind it. */
function buildNode<Value>(
  values: readonly Value[],
  entries: readonly Entry[],
  label: string,
  above: ReadonlySet<number>,
): Node<Value> {
  const wanting = new Set([
    ...above,
    ...entries.filter(({ prefix }) => prefix === '').map(({ index }) => index),
  ]);
  const longer = entries.filter(({ prefix }) => prefix !== '');
  const children = new Map<number, Node<Value>>();
  for (const [code, group] of Map.groupBy(longer, ({ prefix }) => prefix.charCodeAt(0))) {
    const edge = commonPrefix(group.map(({ prefix }) => prefix));
    const rest = group.map(({ prefix, index }) => ({ prefix: prefix.slice(edge.length), index }));
    children.set(code, buildNode(values, rest, edge, wanting));
  }
  const ordered = [...wanting].sort((left, right) => left - right);
  const asciiLabel = /^[\x00-\x7f]*/.exec(label)?.[0] ?? '';
  return { label, asciiLabel, values: ordered.flatMap((index) => values.slice(index, index + 1)), children };
}

/** The longest text that all of them begin with. */
export function commonPrefix(texts: readonly string[]): string {
  const [first = '', ...others] = texts;
  let length = first.length;
  for (const other of others) while (!other.startsWith(first.slice(0, length))) length--;
  return first.slice(0, length);
}
