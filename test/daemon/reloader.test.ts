import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { loadConfig } from '../../src/config/load.ts';
import type { Plan } from '../../src/config/plan.ts';
import type { OperationalError } from '../../src/core/errors.ts';
import type { Decision } from '../../src/core/ledger/decision.ts';
import { Ledger } from '../../src/core/ledger/ledger.ts';
import { MINUTE } from '../../src/core/time.ts';
import { ProtectedNetworks } from '../../src/daemon/protected-networks.ts';
import { Reloader } from '../../src/daemon/reloader.ts';
import { fixture } from '../config/golden.ts';
import { describeDecision, failureOf, Recorder, START } from './parts.ts';

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
  const ledger = new Ledger(plan.limits);
  const did: string[] = [];
  const world = {
    own: ['198.51.100.9'],
    trustFailure: null as OperationalError | null,
    gate: null as Promise<void> | null,
  };
  const protectedNetworks = new ProtectedNetworks(plan.trust, () => world.own);
  const parts = {
    read,
    ledger,
    enforcer: {
      reconfigure: (jails: readonly { readonly name: string }[]) =>
        did.push(`scopes of ${jails.map(({ name }) => name).join(' ')}`),
      setTrust: async (trust: readonly string[]) => {
        did.push(`trust ${trust.join(' ')}`);
        if (world.trustFailure !== null) throw world.trustFailure;
      },
    },
    pipeline: {
      setRules: () => did.push('rules'),
      carryOut: (decisions: readonly Decision[]) => did.push(...decisions.map(describeDecision)),
    },
    sources: {
      apply: async (next: Plan) => {
        did.push(`sources of ${next.jails.length} jails`);
        await world.gate;
      },
    },
    metrics: { apply: async () => {} },
    protectedNetworks,
    clock: { now: () => START },
    emit: recorder.emit,
  };
  const reloader = new Reloader(parts, plan);
  reloader.refreshProtection();
  const ban = (offender: string) => {
    const until = START + MINUTE;
    return ledger.ban(
      { jail: 'sshd', offender, since: START, until, cause: 'operator', failures: 0 },
      START,
      [],
    );
  };
  const health = () => recorder.of('component').map((event) => `${event.health}: ${event.detail}`);
  return { reloader, write, recorder, ledger, did, world, protectedNetworks, ban, health };
}

test('what the files say is put in force everywhere, before the first await in the ledger and the rules', async (t) => {
  const { reloader, write, did, ledger, recorder } = setUp(t);
  write(`${SSHD}[jail.mail]\nfilters = ["sshd"]\n[trust]\naddresses = ["192.0.2.0/24"]\n`);
  const reloaded = reloader.reload();
  assert.deepEqual(did, ['rules', 'scopes of sshd mail', 'trust 192.0.2.0/24']);
  const failure = { jail: 'mail', address: '192.0.2.7', seenAt: START, weight: 1 };
  assert.deepEqual(ledger.observe(failure, START, []), { outcome: 'ignored', reason: 'protected' });
  const report = await reloaded;
  assert.deepEqual([report.applied, report.jails], [true, ['sshd', 'mail']]);
  assert.equal(did.at(-1), 'sources of 2 jails');
  assert.deepEqual(
    reloader.plan.jails.map(({ policy }) => policy.name),
    ['sshd', 'mail'],
  );
  assert.deepEqual(
    recorder.of('reload').map(({ result, jails }) => `${result} ${jails}`),
    ['applied 2'],
  );
});

test('what is newly trusted or ignored is set free', async (t) => {
  const { reloader, write, did, ban } = setUp(t);
  ban('192.0.2.7');
  ban('203.0.113.9');
  ban('203.0.113.10');
  write(`${SSHD}ignore = ["203.0.113.9"]\n[trust]\naddresses = ["192.0.2.0/24"]\n`);
  await reloader.reload();
  assert.deepEqual(
    did.filter((deed) => deed.startsWith('unban')),
    ['unban 192.0.2.7 reload', 'unban 203.0.113.9 reload'],
  );
});

test('a fault leaves everything as it is, and is told: to whoever asked, in the log, in the status', async (t) => {
  const { reloader, write, did, recorder, health } = setUp(t);
  write('[jail.sshd]\nmax_rety = 3\n');
  const before = reloader.plan;
  const report = await reloader.reload();
  assert.equal(report.applied, false);
  assert.deepEqual(report.jails, ['sshd']);
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

test('a firewall that does not take the trusted networks is told, and the rest is in force', async (t) => {
  const { reloader, world, recorder, did } = setUp(t);
  world.trustFailure = failureOf('nft-failed', 'no such table');
  assert.equal((await reloader.reload()).applied, true);
  assert.deepEqual(
    recorder.of('firewall-error').map(({ message }) => message),
    ['trusted networks are not set: no such table'],
  );
  assert.equal(did.at(-1), 'sources of 1 jails');
});

test('one reload runs at a time, and all that are asked for meanwhile are one more', async (t) => {
  const { reloader, world, write, did, recorder } = setUp(t);
  const gate = Promise.withResolvers<void>();
  world.gate = gate.promise;
  const first = reloader.reload();
  await new Promise((resolve) => setImmediate(resolve));
  const others = Array.from({ length: 100 }, () => reloader.reload());
  write(`${SSHD}[jail.mail]\nfilters = ["sshd"]\n`);
  assert.equal(did.filter((deed) => deed === 'rules').length, 1);
  gate.resolve();
  assert.deepEqual((await first).jails, ['sshd']);
  for (const { jails } of await Promise.all(others)) assert.deepEqual(jails, ['sshd', 'mail']);
  assert.equal(recorder.of('reload').length, 2);
  await reloader.reload();
  assert.equal(recorder.of('reload').length, 3);
});

test('closing waits for the reload under way; those that wait behind it or come later are turned away', async (t) => {
  const { reloader, world, recorder } = setUp(t);
  const gate = Promise.withResolvers<void>();
  world.gate = gate.promise;
  const first = reloader.reload();
  await new Promise((resolve) => setImmediate(resolve));
  const second = assert.rejects(reloader.reload(), { code: 'stopping' });
  const closed = reloader.close().then(() => recorder.of('reload').length);
  gate.resolve();
  assert.equal(await closed, 1, 'the first was finished');
  await first;
  await second;
  await assert.rejects(reloader.reload(), { code: 'stopping' });
});

test('an address that this host has got since is set free without a reload', (t) => {
  const { reloader, world, protectedNetworks, did, ban } = setUp(t);
  ban('203.0.113.9');
  ban('203.0.113.10');
  world.own = ['203.0.113.9'];
  assert.equal(protectedNetworks.refresh(), true);
  reloader.refreshProtection();
  assert.deepEqual(did, ['unban 203.0.113.9 reload']);
});
