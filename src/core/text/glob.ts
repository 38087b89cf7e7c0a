/** Names with `*`, each of which stands for any text: `*vaultwarden*`. */

/** Whether the name is what the pattern says, in upper or lower case. Takes time linear in both for each `*`. */
export function fitsGlob(name: string, pattern: string): boolean {
  const text = name.toLowerCase();
  const [head = '', ...parts] = pattern.toLowerCase().split('*');
  if (parts.length === 0) return text === head;
  const tail = parts.pop() ?? '';
  if (text.length < head.length + tail.length || !text.startsWith(head) || !text.endsWith(tail)) return false;
  const end = text.length - tail.length;
  let at = head.length;
  for (const part of parts) {
    const found = text.indexOf(part, at);
    if (found < 0 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}
