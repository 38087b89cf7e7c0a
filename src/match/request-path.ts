/**
 * The path of an HTTP request, as its server understands it. Logs have it as the client wrote it, and a client has many
 * ways to write one path (RFC 3986, section 6.2.2): `/wp-%6cogin.php`, `//wp-login.php`, `/x/../wp-login.php`. Programs in
 * PHP are run for what follows their name as well, as PATH_INFO (RFC 3875, section 4.1.5): `/wp-login.php/x`.
 */

/** What can be written otherwise; most paths cannot. */
const UNUSUAL = /%[0-9A-Fa-f]{2}|\/\/|\/\.|^[^/]|\.php\//;

/** Other ways to write the path, in the order of steps that a server takes; none for a path that has but one. */
export function otherSpellings(path: string): readonly string[] {
  if (!UNUSUAL.test(path)) return [];
  const plain = withoutDots(decode(withoutAuthority(path)).replace(/\/+/g, '/'));
  const script = plain.indexOf('.php/');
  const spellings = [plain, ...(script < 0 ? [] : [plain.slice(0, script + '.php'.length)])];
  return spellings.filter((spelling) => spelling !== path);
}

/** Of a request to a proxy, which names the server as well: `http://www.example.org/path`. */
function withoutAuthority(path: string): string {
  const scheme = /^[A-Za-z][A-Za-z0-9+.-]*:\/\//.exec(path)?.[0] ?? '';
  if (scheme === '') return path;
  const start = path.indexOf('/', scheme.length);
  return start < 0 ? '/' : path.slice(start);
}

/** Once, as servers do; a byte that is none of ASCII stays a character of its own, since no rule looks for one. */
function decode(path: string): string {
  return path.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

/** RFC 3986, section 5.2.4. */
function withoutDots(path: string): string {
  if (!path.includes('/.')) return path;
  const kept: string[] = [];
  const segments = path.split('/');
  for (const [index, segment] of segments.entries()) {
    const isLast = index === segments.length - 1;
    if (segment === '..' && kept.length > 1) kept.pop();
    if (segment !== '.' && segment !== '..') kept.push(segment);
    else if (isLast) kept.push('');
  }
  return kept.join('/');
}
