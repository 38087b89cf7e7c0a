/**
 * A real Prometheus, with what etc/prometheus holds, scrapes a real daemon under an attack. Every query of every panel,
 * annotation, variable and rule is run against it and must return data; of an alert, what it compares.
 *
 * With BAILIFF_QUERY_TABLE=FILE each query and the value that it returned are written there, as a table in Markdown.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { ATTACKERS_IPV4, ATTACKERS_IPV6, openBed } from '../bed/namespace.ts';
import { requirements } from '../bed/requirements.ts';
import { describeSamples, Prometheus, prometheusMissing, type Sample } from '../bed/services/prometheus.ts';
import { BOARDS, boardQueries, comparedIn, readBoard } from '../monitoring/boards.ts';
import { guideCommands } from '../monitoring/guide.ts';
import { attack, openAttackedScene, STRANGERS } from './prometheus-attack.ts';
import { type Scene, sceneMissing, waitForBan } from './scene.ts';

/** What a board shows of the past, and what it takes rates over: the whole test, on a slow machine too. */
const RANGE_SECONDS = 300;

/** What fires because of what happens in this test; the others are silent, and promtool tests when they fire. */
const FIRING_ALERTS = ['BailiffTableRemoved', 'BailiffSenderLimited'];
/** What is true, but not for long enough yet. */
const PENDING_ALERTS = ['BailiffSenderSilent', 'BailiffSenderClockWrong'];

/** Panels that say that all is well by showing nothing but zeros; each of the others shows something of the attack. */
const QUIET_PANELS: readonly string[] = [
  'Open connections',
  'Lost in the kernel in an hour',
  'Refused entries by filter',
  'Lost on the way',
  'Open connections by host',
  'Bugs seen',
  'Health of the parts',
  'Offenders being watched',
  'Failures being watched',
  'Bans made longer, ended, forgiven',
  'Label values without room',
  'Journal lag',
  'Entries and changes lost',
  'Reloads and refused filters',
];

const skip = sceneMissing || (requirements('logger', 'curl') ?? false) || prometheusMissing();

describe('Prometheus', { skip }, () => {
  let scene: Scene;
  let prometheus: Prometheus;
  const table: string[] = ['| where | query | value |', '| --- | --- | --- |'];
  before(async () => {
    const bed = await openBed();
    try {
      scene = await openAttackedScene(bed);
      prometheus = await Prometheus.start(bed);
      await attack(scene);
      await prometheus.waitForScrapes(3);
    } catch (error) {
      await bed.close();
      throw error;
    }
  });
  after(async () => {
    const file = process.env.BAILIFF_QUERY_TABLE;
    if (file !== undefined) writeFileSync(file, `${table.join('\n')}\n`);
    await scene?.bed.close();
  });

  function record(where: string, query: string, samples: readonly Sample[]): void {
    table.push(`| ${where} | \`${query.replaceAll('|', '\\|')}\` | ${describeSamples(samples)} |`);
  }

  test('gets data for every query of every panel, and sees the attack in it', async () => {
    const queries = boardQueries(RANGE_SECONDS);
    const answers = await prometheus.ask(queries.map(({ expr }) => expr));
    const empty: string[] = [];
    const highest = new Map<string, number>();
    for (const [index, { board, panel, expr }] of queries.entries()) {
      const samples = answers[index] ?? [];
      record(`${board}: ${panel}`, expr, samples);
      const values = samples.map(({ value }) => Number(value[1])).filter(Number.isFinite);
      if (values.length === 0) empty.push(`${panel}: ${expr}`);
      highest.set(panel, Math.max(highest.get(panel) ?? 0, ...values.map(Math.abs)));
    }
    assert.deepEqual(empty, []);
    const quiet = [...highest].filter(([, value]) => value === 0).map(([panel]) => panel);
    assert.deepEqual(
      quiet.filter((panel) => !QUIET_PANELS.includes(panel)),
      [],
    );
    assert.equal(highest.get('Are bans enforced?'), 1);
    assert.ok((highest.get('Warnings') ?? 0) > 0, 'the attack makes trouble that is told');
    const banned = ATTACKERS_IPV4.length + ATTACKERS_IPV6.length + STRANGERS.length;
    assert.equal(highest.get('Active bans'), banned);
  });

  test('finds the values of every variable', async () => {
    for (const name of BOARDS) {
      for (const { type, query } of readBoard(name).templating.list) {
        if (type !== 'query') continue;
        const text = typeof query === 'string' ? query : query.query;
        const [, selector = '', label = ''] = /^label_values\((.*), (\w+)\)$/.exec(text) ?? [];
        const [samples = []] = await prometheus.ask([selector.replaceAll('$instance', '.*')]);
        assert.ok(
          samples.some(({ metric }) => metric[label] !== undefined),
          `${name}: ${text}`,
        );
      }
    }
  });

  test('evaluates every rule: recordings have data, alerts come for what has happened only', async () => {
    const rules = await prometheus.rules();
    assert.ok(rules.length > 15);
    for (const { name, health, lastError } of rules) assert.equal(health, 'ok', `${name}: ${lastError}`);
    const recordings = rules.filter(({ type }) => type === 'recording');
    const answers = await prometheus.ask(recordings.map(({ query }) => query));
    for (const [index, { name, query }] of recordings.entries()) {
      const samples = answers[index] ?? [];
      record(name, query, samples);
      assert.ok(samples.length > 0, `${name} records nothing`);
    }
    const alertsThatAre = (state: string) =>
      rules.filter((rule) => rule.state === state).map(({ name }) => name);
    assert.deepEqual(alertsThatAre('firing'), FIRING_ALERTS);
    assert.deepEqual(alertsThatAre('pending'), PENDING_ALERTS);
  });

  test('has data for all that an alert compares, so that silence means that all is well', async () => {
    const alerts = (await prometheus.rules()).filter(({ type }) => type === 'alerting');
    const compared = alerts.flatMap(({ name, query }) => comparedIn(query).map((expr) => ({ name, expr })));
    const answers = await prometheus.ask(compared.map(({ expr }) => expr));
    for (const [index, { name, expr }] of compared.entries()) {
      record(name, expr, answers[index] ?? []);
      assert.ok((answers[index] ?? []).length > 0, `${name}: ${expr}`);
    }
    assert.deepEqual(new Set(compared.map(({ name }) => name)), new Set(alerts.map(({ name }) => name)));
  });

  test('knows of the alerts where the boards mark them', async () => {
    const annotations = BOARDS.flatMap((name) => readBoard(name).annotations.list);
    const queries = annotations.map(({ expr }) => expr.replaceAll('$instance', '.*'));
    for (const samples of await prometheus.ask(queries)) {
      const names = new Set(samples.map(({ metric }) => metric.alertname));
      assert.deepEqual(names, new Set(FIRING_ALERTS));
    }
  });

  test('answers the commands of docs/monitoring.md, and shows what the last of them does', async () => {
    const { bed, daemon } = scene;
    const [ready, scraped, fail] = ['curl ', 'promtool query ', 'for '].map(
      (beginning) => guideCommands().find((command) => command.startsWith(beginning)) ?? 'false',
    );
    assert.match((await bed.run(['sh', '-c', `${ready}`])).stdout, /^bailiff_ready 1$/m);
    assert.match((await bed.run(['sh', '-c', `${scraped}`])).stdout, /^up\{.*\} => 1 @/m);
    await bed.run(['sh', '-c', `${fail}`]);
    await waitForBan(daemon, '203.0.113.9');
  });

  test('reads a page that promtool has nothing against', async () => {
    const page = await scene.daemon.metricsText();
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
      input: page,
      encoding: 'utf8',
    });
    assert.deepEqual([status, stdout + stderr], [0, '']);
  });
});
