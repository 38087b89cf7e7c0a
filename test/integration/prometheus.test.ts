/**
 * A real Prometheus, with what etc/prometheus holds, scrapes a real daemon under an attack. Every query of every panel,
 * annotation, variable and rule is run against it and must return data, except for alerts about what has not happened.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Daemon } from '../bed/daemon.ts';
import { ATTACKERS_IPV4, ATTACKERS_IPV6, type Bed, HOST } from '../bed/namespace.ts';
import { tryConnect } from '../bed/reachability.ts';
import { requirements } from '../bed/requirements.ts';
import { waitFor } from '../bed/waiting.ts';
import { BOARDS, boardQueries, etcPath, metricsIn, readBoard } from '../monitoring/boards.ts';
import {
  failedLogin,
  failLogins,
  openScene,
  type Scene,
  SOON_MILLISECONDS,
  sceneMissing,
  sumOf,
  waitForBan,
} from './scene.ts';

const SCRAPE_SECONDS = 1;
/** What a board shows of the past, and what it takes rates over: the whole test, on a slow machine too. */
const RANGE_SECONDS = 120;
const START_MILLISECONDS = 10_000;
const PROMETHEUS = 'http://127.0.0.1:9090';
const SYSLOG = ['--server', HOST.deviceIpv4, '--port', '5514'];

const CONFIGURATION = `
[syslog]
udp = ["${HOST.deviceIpv4}:5514"]
tcp = ["${HOST.deviceIpv4}:5514"]
[jail.sshd]
max_retry = 3
find_time = "10m"
ban_time = "10m"
`;

/** Put into the kernel's set by somebody else; the daemon adopts them. */
const STRANGERS = ['203.0.113.1', '203.0.113.2'];

/** What fires because of what happens in this test; the others are silent, and promtool tests when they fire. */
const EXPECTED_ALERTS = ['BailiffTableRemoved'];

type Sample = {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
};
type Rule = {
  readonly type: 'recording' | 'alerting';
  readonly name: string;
  readonly query: string;
  readonly health: string;
  readonly lastError?: string;
};

const skip = sceneMissing || (requirements('logger') ?? false) || prometheusMissing();

describe('Prometheus', { skip }, () => {
  let scene: Scene;
  before(async () => {
    scene = await openScene({ configuration: CONFIGURATION });
    await startPrometheus(scene.bed);
    await attack(scene);
    await waitForScrapes(scene.bed, 3);
  });
  after(() => scene?.bed.close());

  test('gets data for every query of every panel', async (context) => {
    const queries = boardQueries(RANGE_SECONDS);
    const answers = await ask(
      scene.bed,
      queries.map(({ expr }) => expr),
    );
    const empty: string[] = [];
    for (const [index, { board, panel, expr }] of queries.entries()) {
      const samples = answers[index] ?? [];
      context.diagnostic(`${board} / ${panel}: ${expr} -> ${describeSamples(samples)}`);
      if (!samples.some(({ value }) => Number.isFinite(Number(value[1])))) empty.push(`${panel}: ${expr}`);
    }
    assert.deepEqual(empty, []);
  });

  test('shows the attack, not just numbers', async () => {
    const shown = new Map<string, number>();
    const queries = boardQueries(RANGE_SECONDS);
    const answers = await ask(
      scene.bed,
      queries.map(({ expr }) => expr),
    );
    for (const [index, { panel }] of queries.entries()) {
      const values = (answers[index] ?? []).map(({ value }) => Number(value[1]));
      shown.set(panel, Math.max(shown.get(panel) ?? 0, ...values));
    }
    assert.equal(shown.get('Are bans enforced?'), 1);
    assert.equal(shown.get('Active bans'), ATTACKERS_IPV4.length + ATTACKERS_IPV6.length + STRANGERS.length);
    assert.equal(shown.get('Parts in trouble'), 0);
    for (const panel of [
      'Under attack now?',
      'Failures by jail',
      'Bans by jail',
      'Dropped packets',
      'Arrival to kernel',
      'Arrival to kernel, all bans',
      'Top filters',
      'Top jails',
      'Failures not counted',
      'Records by source',
      'New connections',
      'Refused records',
      'Transactions',
      'Commits',
      'Errors and repairs',
    ])
      assert.ok((shown.get(panel) ?? 0) > 0, `${panel} shows ${shown.get(panel)}`);
  });

  test('finds the values of every variable', async () => {
    for (const name of BOARDS) {
      for (const { type, query } of readBoard(name).templating.list) {
        if (type !== 'query') continue;
        const text = typeof query === 'string' ? query : query.query;
        const [, selector = '', label = ''] = /^label_values\((.*), (\w+)\)$/.exec(text) ?? [];
        const [samples = []] = await ask(scene.bed, [selector.replaceAll('$instance', '.*')]);
        assert.ok(
          samples.some(({ metric }) => metric[label] !== undefined),
          `${name}: ${text}`,
        );
      }
    }
  });

  test('evaluates every rule: recordings have data, alerts fire for what has happened and for nothing else', async (context) => {
    const rules = await rulesOf(scene.bed);
    assert.ok(rules.length > 15);
    for (const { name, health, lastError } of rules) assert.equal(health, 'ok', `${name}: ${lastError}`);
    const answers = await ask(
      scene.bed,
      rules.map(({ query }) => query),
    );
    const firing: string[] = [];
    for (const [index, { type, name, query }] of rules.entries()) {
      const samples = answers[index] ?? [];
      context.diagnostic(`${name}: ${query} -> ${describeSamples(samples)}`);
      if (type === 'recording') assert.ok(samples.length > 0, `${name} records nothing`);
      else if (samples.length > 0) firing.push(name);
    }
    assert.deepEqual(firing, EXPECTED_ALERTS);
  });

  test('has every metric that an alert asks for, so that silence means that all is well', async () => {
    const rules = await rulesOf(scene.bed);
    const metrics = [...new Set(rules.flatMap(({ query }) => metricsIn(query)))].filter(
      (name) => !name.startsWith('bailiff_arrival'),
    );
    const asked = [...metrics, 'up{job="bailiff"}'];
    const answers = await ask(scene.bed, asked);
    for (const [index, metric] of asked.entries()) assert.ok((answers[index] ?? []).length > 0, metric);
  });

  test('knows of the alerts where the boards mark them', async () => {
    const annotations = BOARDS.flatMap((name) => readBoard(name).annotations.list);
    const queries = annotations.map(({ expr }) => expr.replaceAll('$instance', '.*'));
    for (const samples of await ask(scene.bed, queries))
      assert.deepEqual([...new Set(samples.map(({ metric }) => metric.alertname))], EXPECTED_ALERTS);
  });
});

/** Failures by every way that there is, over both families; then knocking at the door, and another program's tricks. */
async function attack({ bed, journald, daemon }: Scene): Promise<void> {
  const offenders = [...ATTACKERS_IPV4, ...ATTACKERS_IPV6];
  const [first = '', second = ''] = offenders;
  await failLogins(journald, '127.0.0.1', 1);
  for (const address of offenders.slice(2)) await failLogins(journald, address, 3);
  for (const [form, address] of [
    ['--udp', first],
    ['--tcp', second],
  ] as const) {
    for (let time = 0; time < 3; time++)
      await bed.run(['logger', ...SYSLOG, form, '--tag', 'sshd', failedLogin(address)], { at: 'attacker' });
  }
  // A datagram with nothing in it.
  await bed.run([process.execPath, '-e', SEND_EMPTY, HOST.deviceIpv4], { at: 'attacker' });
  await waitForBan(daemon, first);
  await waitForBan(daemon, second);
  // The kernel's counters are read when the sets are looked through: at once when somebody has touched them.
  for (const stranger of STRANGERS) {
    const before = await droppedPackets(daemon);
    await tryConnect(bed, { from: first, to: HOST.ipv4, port: 22, timeoutMilliseconds: 100 });
    await bed.run(['nft', `add element inet bailiff ban4 { ${stranger} timeout 1m }`]);
    await waitFor('dropped packets', SOON_MILLISECONDS, async () =>
      (await droppedPackets(daemon)) > before ? true : null,
    );
    await waitForScrapes(bed, 1);
  }
  await bed.run(['nft', 'delete', 'table', 'inet', 'bailiff']);
  await waitFor('the table to be restored', SOON_MILLISECONDS, async () =>
    (await daemon.metrics()).get('bailiff_firewall_table_losses_total') === 1 ? true : null,
  );
}

const SEND_EMPTY = `
const socket = require('node:dgram').createSocket('udp4');
socket.send('', 5514, process.argv[1], () => socket.close());`;

async function droppedPackets(daemon: Daemon): Promise<number> {
  return sumOf(await daemon.metrics(), 'bailiff_dropped_packets_total', {});
}

/** Prometheus with the files that people get, at a quicker pace. Resolves after its first scrape. */
async function startPrometheus(bed: Bed): Promise<void> {
  const directory = join(bed.directory, 'prometheus');
  cpSync(etcPath('prometheus'), directory, { recursive: true });
  const path = join(directory, 'prometheus.yml');
  const shipped = readFileSync(path, 'utf8');
  const quick = shipped.replaceAll(/_interval: 15s$/gm, `_interval: ${SCRAPE_SECONDS}s`);
  assert.notEqual(quick, shipped);
  writeFileSync(path, quick);
  const prometheus = await bed.start([
    'prometheus',
    `--config.file=${path}`,
    `--storage.tsdb.path=${join(directory, 'data')}`,
    `--web.listen-address=${new URL(PROMETHEUS).host}`,
  ]);
  await waitFor('the first scrape', START_MILLISECONDS, async () => {
    if (prometheus.result !== null) return 'ended';
    return (await scrapes(bed)) > 0 ? 'scraped' : null;
  });
  assert.equal(prometheus.result, null, prometheus.output);
}

async function waitForScrapes(bed: Bed, further: number): Promise<void> {
  const before = await scrapes(bed);
  await waitFor(`${further} scrapes`, START_MILLISECONDS, async () =>
    (await scrapes(bed)) >= before + further ? true : null,
  );
}

async function scrapes(bed: Bed): Promise<number> {
  const [samples] = await ask(bed, ['sum(count_over_time((up{job="bailiff"} == 1)[1h:1s]))']);
  return Number(samples?.[0]?.value[1] ?? 0);
}

/** Instant queries, all in one go; rejects with what Prometheus says against one that it cannot run. */
async function ask(bed: Bed, queries: readonly string[]): Promise<Sample[][]> {
  const paths = queries.map((query) => `/api/v1/query?query=${encodeURIComponent(query)}`);
  const answers = (await get(bed, paths)) as { readonly result: Sample[] }[];
  return answers.map(({ result }) => result);
}

async function rulesOf(bed: Bed): Promise<Rule[]> {
  const [answer] = (await get(bed, ['/api/v1/rules'])) as { readonly groups: { readonly rules: Rule[] }[] }[];
  return answer?.groups.flatMap(({ rules }) => rules) ?? [];
}

async function get(bed: Bed, paths: readonly string[]): Promise<unknown[]> {
  const urls = paths.map((path) => `${PROMETHEUS}${path}`);
  const { stdout } = await bed.run([process.execPath, '-e', FETCH], { input: JSON.stringify(urls) });
  return JSON.parse(stdout) as unknown[];
}

const FETCH = `
const urls = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));
Promise.all(urls.map(async (url) => {
  const answer = await (await fetch(url)).json();
  if (answer.status !== 'success') throw new Error(decodeURIComponent(url) + ': ' + answer.error);
  return answer.data;
})).then((data) => process.stdout.write(JSON.stringify(data)));`;

/** Values of a few of them, each with its labels. */
function describeSamples(samples: readonly Sample[]): string {
  const shown = samples.slice(0, 4).map(({ metric, value }) => {
    const { __name__: _name, job: _job, ...labels } = metric;
    return `${Object.values(labels).join(' ')}=${Number(value[1]).toPrecision(3)}`;
  });
  if (samples.length > shown.length) shown.push(`and ${samples.length - shown.length} more`);
  return shown.join(', ') || 'nothing';
}

function prometheusMissing(): string | false {
  const { status } = spawnSync('prometheus', ['--version'], { stdio: 'ignore' });
  return status === 0 ? false : 'needs prometheus: apt-get install prometheus';
}
