import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type LoadedConfig, loadConfig } from '../../../src/config/load.ts';
import type { Plan } from '../../../src/config/plan.ts';
import { Reloader } from '../../../src/daemon/configuration/reloader.ts';
import { fixture } from '../../config/golden.ts';
import { wordsOf } from '../../core/warning/words.ts';
import { Recorder } from '../parts.ts';

const SSHD = '[jail.sshd]\nmax_retry = 3\n';

function setUp(t: TestContext, text = SSHD) {
  const directory = mkdtempSync(join(tmpdir(), 'bailiff-reload-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const configPath = join(directory, 'bailiff.toml');
  const write = (text: string) => writeFileSync(configPath, text);
  write(text);
  const filterDirectories = [{ path: fixture('filters'), strict: true }];
  const read = () => loadConfig({ configPath, filterDirectories, uid: 0, env: {} });
  const { plan } = read();
  assert.ok(plan !== null);
  const recorder = new Recorder();
  const did: string[] = [];
  const world = { gate: null as Promise<void> | null, kept: [] as string[], disk: null as Error | null };
  const apply = async (next: Plan) => {
    did.push(`${next.jails.map(({ policy }) => policy.name).join(' ')} in force`);
    await world.gate;
  };
  const keep = ({ sources }: LoadedConfig) => {
    if (world.disk !== null) throw world.disk;
    world.kept.push(sources.map(({ text }) => text).join());
  };
  const make = (instead: string | null) =>
    new Reloader({ read, apply, keep, emit: recorder.emit }, { plan, loaded: read(), instead });
  const reloader = make(null);
  const health = () => recorder.of('component').map((event) => `${event.health}: ${wordsOf(event)}`);
  return { reloader, make, write, recorder, did, world, health };
}

test('what the files say is put in force, and told', async (t) => {
  const { reloader, write, did, recorder } = setUp(t);
  write(`${SSHD}[jail.mail]\nfilters = ["sshd"]\n`);
  const report = await reloader.reload();
  assert.deepEqual([report.applied, report.jails], [true, ['sshd', 'mail', 'manual']]);
  assert.deepEqual(did, ['sshd mail manual in force']);
  assert.deepEqual(
    reloader.plan.jails.map(({ policy }) => policy.name),
    ['sshd', 'mail', 'manual'],
  );
  assert.deepEqual(
    recorder.of('reload').map(({ result, jails }) => `${result} ${jails}`),
    ['applied 3'],
  );
});

test('a fault leaves everything as it is, and is told: to whoever asked, in the log, in the status', async (t) => {
  const { reloader, write, did, recorder, health } = setUp(t);
  write('[jail.sshd]\nmax_rety = 3\n');
  const before = reloader.plan;
  const report = await reloader.reload();
  assert.equal(report.applied, false);
  assert.deepEqual(report.jails, ['sshd', 'manual']);
  assert.match(report.problems.join('\n'), /bailiff\.toml:2:1: .*\n.*max_rety = 3\n +\| \^/);
  assert.equal(reloader.plan, before);
  assert.deepEqual(did, []);
  assert.deepEqual(
    recorder.of('reload').map(({ result }) => result),
    ['refused'],
  );
  assert.match(
    health()[0] ?? '',
    /^degraded: jails sshd .*; what the files say now is not in force: .*max_retry/,
  );
  write(SSHD);
  await reloader.reload();
  assert.doesNotMatch(health().at(-1) ?? '', /not in force/);
});

test('what is opened once at the start is told to need a restart, until it says again what is in force', async (t) => {
  const { reloader, write } = setUp(t);
  write(`${SSHD}[firewall]\ntable = "other"\n`);
  const needed = async () =>
    (await reloader.reload()).problems.filter((problem) => problem.endsWith('is used after a restart'));
  assert.deepEqual(await needed(), ['table in [firewall] is used after a restart']);
  assert.deepEqual(await needed(), ['table in [firewall] is used after a restart']);
  write(SSHD);
  assert.deepEqual(await needed(), []);
});

test('one reload runs at a time, and all that are asked for meanwhile are one more', async (t) => {
  const { reloader, world, write, did, recorder } = setUp(t);
  const gate = Promise.withResolvers<void>();
  world.gate = gate.promise;
  const first = reloader.reload();
  await new Promise((resolve) => setImmediate(resolve));
  const others = Array.from({ length: 100 }, () => reloader.reload());
  write(`${SSHD}[jail.mail]\nfilters = ["sshd"]\n`);
  assert.equal(did.length, 1);
  gate.resolve();
  assert.deepEqual((await first).jails, ['sshd', 'manual']);
  for (const { jails } of await Promise.all(others)) assert.deepEqual(jails, ['sshd', 'mail', 'manual']);
  assert.equal(recorder.of('reload').length, 2);
  await reloader.reload();
  assert.equal(recorder.of('reload').length, 3);
});

test('stopping waits for the reload under way; those that wait behind it or come later are turned away', async (t) => {
  const { reloader, world, recorder } = setUp(t);
  const gate = Promise.withResolvers<void>();
  world.gate = gate.promise;
  const first = reloader.reload();
  await new Promise((resolve) => setImmediate(resolve));
  const second = assert.rejects(reloader.reload(), { code: 'stopping' });
  const closed = reloader.stop().then(() => recorder.of('reload').length);
  gate.resolve();
  assert.equal(await closed, 1, 'the first was finished');
  await first;
  await second;
  await assert.rejects(reloader.reload(), { code: 'stopping' });
});

test('what is in force is kept, at the start and at each reload; what has a fault is not', async (t) => {
  const { reloader, write, world } = setUp(t);
  await reloader.start();
  write('[jail.sshd]\nmax_rety = 3\n');
  await reloader.reload();
  write('[jail.sshd]\nmax_retry = 9\n');
  await reloader.reload();
  assert.deepEqual(world.kept, [SSHD, '[jail.sshd]\nmax_retry = 9\n']);
});

test('when it cannot be kept, that is told and everything goes on', async (t) => {
  const { reloader, world, health } = setUp(t);
  world.disk = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
  assert.equal((await reloader.reload()).applied, true);
  assert.match(health().at(-1) ?? '', /^degraded: .*no space left on device/);
});

test('after a start with a fault it is told what is in force, until the files are good', async (t) => {
  const { make, write, world, health } = setUp(t, SSHD);
  write('[jail.sshd]\nmax_rety = 3\n');
  const reloader = make('the configuration of yesterday');
  await reloader.start();
  await reloader.reload();
  for (const words of health())
    assert.match(words, /^degraded: .*max_rety.*in force is the configuration of yesterday/);
  assert.equal(health().length, 2);
  assert.deepEqual(world.kept, []);
  write(SSHD);
  await reloader.reload();
  assert.match(health().at(-1) ?? '', /^up: /);
  write('[jail.sshd]\nmax_rety = 3\n');
  await reloader.reload();
  assert.match(health().at(-1) ?? '', /in force is the configuration of before/);
});
