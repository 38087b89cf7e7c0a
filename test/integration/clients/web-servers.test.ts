/**
 * Web servers that log to us, and strangers who try passwords on them over the wire: from the request to the packet
 * that no longer arrives.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ATTACKERS_IPV4, ATTACKERS_IPV6, type Bed, HOST } from '../../bed/namespace.ts';
import { type Requirement, requirements } from '../../bed/requirements.ts';
import {
  request,
  startApache,
  startHaproxy,
  startNginx,
  WEB_PASSWORD,
  WEB_USER,
  type WebServer,
  type WebServerOptions,
} from '../../bed/services/web-servers.ts';
import { waitFor } from '../../bed/waiting.ts';
import { bansOf, openScene, type Scene, SOON_MILLISECONDS, sceneMissing, sumOf } from '../scene.ts';

const PORT = 5514;
const SOCKET = '/run/bailiff-log.sock';
const FIRST_WEB_PORT = 8081;

const CONFIGURATION = `
[syslog]
udp = ["127.0.0.1:${PORT}"]
unix = ["${SOCKET}"]
[defaults]
max_retry = 2
[jail.nginx-http-auth]
enabled = true
[jail.apache-auth]
enabled = true
[jail.http-401]
enabled = true
[jail.haproxy]
enabled = true
`;

const HOSTS = [HOST.ipv4, HOST.ipv6];

type Server = {
  readonly name: string;
  readonly needs: Requirement;
  /** Which jails ban who has given a wrong password twice: what its two logs say. */
  readonly jails: readonly string[];
  /** Its own words for where it logs to. */
  readonly logs: { readonly udp: string; readonly unix: string };
  readonly start: (bed: Bed, options: WebServerOptions) => Promise<WebServer>;
};

const SERVERS: readonly Server[] = [
  {
    name: 'nginx',
    needs: 'nginx',
    jails: ['http-401', 'nginx-http-auth'],
    logs: { udp: `server=127.0.0.1:${PORT}`, unix: `server=unix:${SOCKET}` },
    start: startNginx,
  },
  {
    name: 'Apache httpd, piped into logger',
    needs: 'apache',
    jails: ['apache-auth', 'http-401'],
    logs: {
      udp: `/usr/bin/logger --udp --rfc3164 --server 127.0.0.1 --port ${PORT}`,
      unix: `/usr/bin/logger --socket ${SOCKET}`,
    },
    start: startApache,
  },
  {
    name: 'HAProxy',
    needs: 'haproxy',
    jails: ['haproxy'],
    logs: { udp: `127.0.0.1:${PORT} local0`, unix: `${SOCKET} local0` },
    start: startHaproxy,
  },
];

const RUNS = SERVERS.flatMap((server) => [
  { server, transport: 'udp' as const },
  { server, transport: 'unix' as const },
]);

const skip = sceneMissing || (requirements('logger') ?? false);

describe('a web server', { skip, concurrency: 3 }, () => {
  let scene: Scene;
  before(async () => {
    scene = await openScene({ configuration: CONFIGURATION });
  });
  after(() => scene?.bed.close());

  for (const [index, { server, transport }] of RUNS.entries()) {
    test(`has who tries passwords banned: ${server.name}, over ${transport}`, async (t) => {
      const reason = requirements(server.needs);
      if (reason !== null) return t.skip(reason);
      const port = FIRST_WEB_PORT + index;
      await server.start(scene.bed, { hosts: HOSTS, port, log: server.logs[transport] });
      const before = await recordsOver(transport);
      const honest = ATTACKERS_IPV4[7] ?? '';
      // The page is not there, but whoever is let in gets to know that.
      const welcome = server.name === 'HAProxy' ? 200 : 404;
      assert.equal(await ask(honest, port, `${WEB_USER}:${WEB_PASSWORD}`), welcome);
      const attackers = [ATTACKERS_IPV4[index] ?? '', ATTACKERS_IPV6[index] ?? ''];
      await Promise.all(
        attackers.map(async (attacker) => {
          assert.equal(await ask(attacker, port, `${WEB_USER}:wrong`), 401);
          assert.equal(await ask(attacker, port, `${WEB_USER}:wronger`), 401);
          await waitForJails(attacker, server.jails);
          assert.equal(await ask(attacker, port, `${WEB_USER}:${WEB_PASSWORD}`), 'unreachable');
        }),
      );
      assert.ok((await recordsOver(transport)) > before);
      assert.equal(await ask(honest, port, `${WEB_USER}:${WEB_PASSWORD}`), welcome);
      return undefined;
    });
  }

  function ask(from: string, port: number, credentials: string) {
    const to = from.includes(':') ? HOST.ipv6 : HOST.ipv4;
    return request(scene.bed, { from, to, port, path: '/private/page', credentials });
  }

  async function recordsOver(source: 'udp' | 'unix'): Promise<number> {
    return sumOf(await scene.daemon.metrics(), 'bailiff_records_total', { source });
  }

  /** Resolves when these jails, and no other, have banned the attacker in the kernel. */
  async function waitForJails(attacker: string, jails: readonly string[]): Promise<void> {
    const offender = attacker.replace(/::100$/, '::/64');
    let found: string[] = [];
    await waitFor(`bans of ${offender}`, SOON_MILLISECONDS, async () => {
      const bans = await bansOf(scene.daemon);
      found = bans.filter((ban) => ban.offender === offender && ban.enforced).map(({ jail }) => jail);
      return found.length >= jails.length ? true : null;
    }).catch(() => {});
    assert.deepEqual(found.toSorted(), jails);
  }
});
