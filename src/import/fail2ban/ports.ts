/** Ports as fail2ban's actions take them: numbers, names and ranges, with commas between. */

/** Ports of one jail that are written out; with more the ban is from the whole host. */
const MAX_PORTS = 64;

/** Names in services(5) that configurations of fail2ban use. */
const SERVICES: ReadonlyMap<string, number> = new Map(
  Object.entries({
    'ftp-data': 20,
    ftp: 21,
    ssh: 22,
    telnet: 23,
    smtp: 25,
    domain: 53,
    http: 80,
    'http-alt': 8080,
    pop3: 110,
    ntp: 123,
    imap: 143,
    imap2: 143,
    imap3: 220,
    ldap: 389,
    https: 443,
    smtps: 465,
    ssmtp: 465,
    submissions: 465,
    urd: 465,
    submission: 587,
    ldaps: 636,
    rsync: 873,
    'ftps-data': 989,
    ftps: 990,
    imaps: 993,
    pop3s: 995,
    socks: 1080,
    openvpn: 1194,
    'ms-sql-s': 1433,
    mysql: 3306,
    'ms-wbt-server': 3389,
    sieve: 4190,
    sip: 5060,
    'sip-tls': 5061,
    'xmpp-client': 5222,
    postgresql: 5432,
    ircd: 6667,
  }),
);

/** `tcp/22` and so on; an empty list for all ports, null for what cannot be written as a list. */
export function readPorts(ports: string, protocol: string): string[] | null {
  const protocols = protocol.split(/[\s,]+/).filter((word) => word !== '');
  if (protocols.some((word) => word === 'all' || word === 'any')) return [];
  if (!protocols.every((word) => word === 'tcp' || word === 'udp')) return null;
  const numbers: number[] = [];
  for (const word of ports.split(/[\s,]+/).filter((part) => part !== '')) {
    const range = readRange(word);
    if (range === null) return null;
    if (range[0] <= 1 && range[1] === 65_535) return [];
    if (range[1] - range[0] >= MAX_PORTS) return null;
    for (let port = range[0]; port <= range[1]; port++) numbers.push(port);
  }
  const scoped = protocols.flatMap((word) => [...new Set(numbers)].map((port) => `${word}/${port}`));
  return scoped.length > 0 && scoped.length <= MAX_PORTS ? scoped : null;
}

function readRange(word: string): readonly [number, number] | null {
  const parts = word.split(/[:-](?=\d+$)/);
  const numbers = (SERVICES.has(word) ? [word] : parts).map((part) =>
    /^\d{1,5}$/.test(part) ? Number(part) : SERVICES.get(part),
  );
  const [first, last = first] = numbers;
  const isRange = first !== undefined && last !== undefined && first <= last && last <= 65_535 && last > 0;
  return isRange && numbers.length <= 2 ? [first, last] : null;
}
