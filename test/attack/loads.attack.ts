/**
 * Loads that would stop a daemon: each against a real one, with an honest failure and a question to the control socket
 * every so often. `npm run test:attack` prints one table at its end. The bounds are wide: they fail when what they
 * guard against is back, not when the machine is slow.
 */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { HOST } from '../bed/namespace.ts';
import { requirements } from '../bed/requirements.ts';
import { type Figures, measureUnder, tableOf } from './figures.ts';
import {
  type HonestSource,
  METRICS_CLIENTS,
  METRICS_PORT,
  NEIGHBOURS_IPV6,
  Scene,
  SYSLOG_PORT,
} from './scene.ts';

type Load = {
  readonly name: string;
  readonly honest: HonestSource;
  /** Bans that are in force before. */
  readonly bans?: number;
  readonly seconds: number;
  readonly begin: (scene: Scene) => Promise<() => void>;
  /** Megabytes that it may grow by, and milliseconds that a ban and an answer may take. */
  readonly growth: number;
  readonly delay: number;
};

const CLIENTS = '60';
const METRICS = `${HOST.ipv4} ${METRICS_PORT}`;

const LOADS: readonly Load[] = [
  {
    name: 'nothing',
    honest: 'journal',
    seconds: 5,
    begin: async () => () => {},
    growth: 100,
    delay: 1_000,
  },
  {
    name: '/metrics: 60 clients pipeline and never read',
    honest: 'journal',
    seconds: 20,
    begin: (scene) => http(scene, METRICS, get('/metrics'), 'endless', METRICS_CLIENTS),
    growth: 250,
    delay: 6_000,
  },
  {
    name: '/healthz: 60 clients pipeline and never read',
    honest: 'journal',
    seconds: 20,
    begin: (scene) => http(scene, METRICS, get('/healthz'), 'endless', METRICS_CLIENTS),
    growth: 250,
    delay: 6_000,
  },
  {
    name: '/metrics: 60 clients send half a request',
    honest: 'journal',
    seconds: 10,
    begin: (scene) => http(scene, METRICS, 'GET /metrics HTTP/1.1\r\nhost: x', 'once', METRICS_CLIENTS),
    growth: 250,
    delay: 6_000,
  },
  {
    name: 'control socket: 60 clients pipeline /v1/bans of 20,000',
    honest: 'journal',
    bans: 20_000,
    seconds: 20,
    begin: (scene) => http(scene, scene.daemon.socketPath, get('/v1/bans'), 'endless', []),
    growth: 250,
    delay: 6_000,
  },
  {
    name: 'control socket: 60 clients follow events, never read',
    honest: 'journal',
    seconds: 20,
    begin: async (scene) => {
      const stop = await http(scene, scene.daemon.socketPath, get('/v1/events'), 'once', []);
      const offenders = await scene.attack('offenders', [HOST.deviceIpv4, `${SYSLOG_PORT}`, '1000', '0']);
      return () => {
        stop();
        offenders.kill('SIGKILL');
      };
    },
    growth: 300,
    delay: 6_000,
  },
  {
    name: 'TCP: 16 addresses of a /64 with 64 idle connections each',
    honest: 'tcp',
    seconds: 20,
    begin: (scene) => streams(scene, HOST.ipv6, 'idle', 64, NEIGHBOURS_IPV6),
    growth: 250,
    delay: 6_000,
  },
  {
    name: 'TCP: 8 lines without an end',
    honest: 'journal',
    seconds: 15,
    begin: (scene) => streams(scene, HOST.ipv6, 'endless', 8, NEIGHBOURS_IPV6.slice(0, 1)),
    growth: 250,
    delay: 6_000,
  },
  {
    name: 'TCP: lines of 64 KiB on 8 connections',
    honest: 'journal',
    seconds: 15,
    begin: (scene) => streams(scene, HOST.ipv6, 'long', 8, NEIGHBOURS_IPV6.slice(0, 1)),
    growth: 500,
    delay: 5_000,
  },
  {
    name: 'UDP: a flood of a stranger',
    honest: 'journal',
    seconds: 15,
    begin: async (scene) => killing(await scene.attack('datagrams', [HOST.ipv4, `${SYSLOG_PORT}`])),
    growth: 250,
    delay: 6_000,
  },
  {
    name: 'UDP: 2,000 new offenders a second',
    honest: 'journal',
    seconds: 20,
    begin: async (scene) =>
      killing(await scene.attack('offenders', [HOST.deviceIpv4, `${SYSLOG_PORT}`, '2000', '0'])),
    growth: 400,
    delay: 5_000,
  },
  ...['MESSAGE', 'PRIORITY'].map(
    (field): Load => ({
      name: `journal: ${field} of 130 MB, compressed with zstd`,
      honest: 'udp',
      seconds: 15,
      begin: async (scene) => killing(await scene.attack('large-field', [field, '130', '3'], { at: 'bed' })),
      growth: 600,
      delay: 5_000,
    }),
  ),
];

const measured: Figures[] = [];

describe('under load', { skip: requirements('namespaces', 'journald', 'nft') ?? false }, () => {
  after(() => process.stdout.write(`\n${tableOf(measured)}\n\n`));

  for (const { name, honest, bans, seconds, begin, growth, delay } of LOADS) {
    it(name, async () => {
      await using scene = await Scene.open(honest);
      if (bans !== undefined) await scene.fill(bans);
      await scene.ban(delay);
      const figures = await measureUnder(name, scene, seconds * 1_000, () => begin(scene));
      measured.push(figures);
      const { idleMegabytes, peakMegabytes, afterMegabytes, banMilliseconds, answerMilliseconds } = figures;
      const grown = peakMegabytes - idleMegabytes;
      assert.ok(grown < growth, `it grew by ${grown} MB`);
      assert.ok(afterMegabytes < idleMegabytes + Math.max(grown / 2, 100), `it kept ${afterMegabytes} MB`);
      assert.ok(Math.max(...banMilliseconds) < delay, `a ban took ${Math.max(...banMilliseconds)} ms`);
      assert.ok(
        Math.max(...answerMilliseconds) < delay,
        `an answer took ${Math.max(...answerMilliseconds)} ms`,
      );
    });
  }
});

function get(path: string): string {
  return `GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`;
}

async function http(
  scene: Scene,
  target: string,
  text: string,
  times: 'once' | 'endless',
  addresses: readonly string[],
): Promise<() => void> {
  return killing(
    await scene.attack('http-clients', [target, CLIENTS, JSON.stringify(text), times, ...addresses]),
  );
}

async function streams(
  scene: Scene,
  host: string,
  work: string,
  count: number,
  addresses: readonly string[],
): Promise<() => void> {
  return killing(await scene.attack('streams', [host, `${SYSLOG_PORT}`, work, `${count}`, ...addresses]));
}

function killing(running: { kill(signal: NodeJS.Signals): void }): () => void {
  return () => running.kill('SIGKILL');
}
