import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Style } from '../../src/cli/render/terminal.ts';
import type { BanReport } from '../../src/http/control.ts';
import { BANS, banReport, JAIL_DETAILS, SSHD, STATUS, warningReport } from '../http/fake-control.ts';
import { startServer } from '../http/running-server.ts';
import { assertGolden, type Outcome, run } from './fake-terminal.ts';

const tag =
  (name: string) =>
  (text: string): string =>
    `<${name}>${text}</${name}>`;
const TAGS: Style = {
  bold: tag('bold'),
  dim: tag('dim'),
  red: tag('red'),
  yellow: tag('yellow'),
  green: tag('green'),
};

function done(outcome: Outcome): string {
  assert.deepEqual([outcome.status, outcome.error], [0, '']);
  return outcome.out;
}

function manyBans(count: number): BanReport[] {
  return Array.from({ length: count }, (_, index) =>
    banReport({
      offender: `198.51.100.${index}`,
      since: new Date(1_795_000_000_000 + index * 1e6).toISOString(),
    }),
  );
}

test('status shows totals, components with advice, and jails', async (t) => {
  const { socketPath } = await startServer(t);
  assertGolden('status', done(await run(['status', '--socket', socketPath])));
});

test('status draws the last hour with the bars that the terminal can show', async (t) => {
  const { socketPath } = await startServer(t);
  const words = ['status', '--socket', socketPath];
  assertGolden('status-utf8', done(await run(words, { environment: { LANG: 'C.UTF-8' }, columns: 100 })));
});

test('status says that nothing is enforced, that no jail is enabled, and which filters are refused', async (t) => {
  const { socketPath, control } = await startServer(t);
  control.state = {
    ...STATUS,
    dryRun: true,
    components: [
      { component: 'journal', health: 'degraded', detail: 'reads the journal in part' },
      { component: 'metrics', health: 'off', detail: 'no address to listen on' },
    ],
    jails: [],
    refusedJails: [
      {
        name: 'web',
        problems: ['etc/bailiff.toml:7:1: jail `web` stays out: filter `nginx` cannot be used'],
      },
    ],
    refusedFilters: [
      {
        name: 'nginx',
        problems: ['etc/filters/nginx.toml:3:9: unknown key "patern"\n    3 | patern = 1\n      | ^'],
      },
    ],
  };
  assertGolden('status-trouble', done(await run(['status', '--socket', socketPath])));
});

test('status of a jail shows its counts and whom it has banned', async (t) => {
  const { socketPath, control } = await startServer(t);
  assertGolden('status-jail', done(await run(['status', 'sshd', '--socket', socketPath])));
  assert.deepEqual(control.calls, ['jail sshd']);
});

test('status of a jail shows the newest bans and where the others are', async (t) => {
  const { socketPath, control } = await startServer(t);
  control.held = manyBans(25).reverse();
  const out = done(await run(['status', 'sshd', '--socket', socketPath]));
  assert.match(out, /and 5 earlier bans: bailiff bans --jail sshd$/);
  assert.doesNotMatch(out, /198\.51\.100\.4 /);
  assert.ok(out.indexOf('198.51.100.5 ') < out.indexOf('198.51.100.24 '));
});

test('status of a jail without bans says so', async (t) => {
  const { socketPath } = await startServer(t);
  assert.match(done(await run(['status', 'mail', '--socket', socketPath])), /\n\nnobody is banned$/);
});

test('bans lists who is banned where, since when, for how long, and whether the kernel knows', async (t) => {
  const { socketPath, control } = await startServer(t);
  assertGolden('bans', done(await run(['bans', '--socket', socketPath])));
  control.held = [];
  assert.equal(done(await run(['bans', '--socket', socketPath])), 'nobody is banned');
});

test('bans of one jail are asked for by its name', async (t) => {
  const { socketPath, control } = await startServer(t);
  assert.equal(done(await run(['bans', '--jail', 'mail', '--socket', socketPath])), 'nobody is banned');
  const typo = await run(['bans', '--jail', 'mial', '--socket', socketPath]);
  assert.deepEqual(typo, { status: 1, out: '', error: 'bailiff: there is no jail "mial"' });
  assert.deepEqual(control.calls, ['bans', 'jail mail', 'bans', 'jail mial']);
});

test('--json prints the daemon’s report', async (t) => {
  const { socketPath } = await startServer(t);
  const reports: ReadonlyArray<readonly [string, unknown]> = [
    ['status', STATUS],
    ['status sshd', { ...SSHD, ...JAIL_DETAILS, bans: BANS }],
    ['bans', { position: 'life.7', bans: BANS }],
  ];
  for (const [line, report] of reports) {
    const words = [...line.split(' '), '--json', '--socket', socketPath];
    assert.deepEqual(JSON.parse(done(await run(words))), report);
  }
});

test('colours mark what matters, and nothing else changes', async (t) => {
  const { socketPath } = await startServer(t);
  for (const line of ['status', 'status sshd', 'bans']) {
    const words = [...line.split(' '), '--socket', socketPath];
    const coloured = done(await run(words, { style: TAGS }));
    assert.equal(coloured.replace(/<\/?[a-z]+>/g, ''), done(await run(words)));
  }
  const out = done(await run(['status', '--socket', socketPath], { style: TAGS }));
  assert.match(out, /<red>down<\/red>/);
  assert.match(out, /<bold>-> install it/);
  assert.match(out, /<green>up<\/green>/);
});

test('whatever the daemon passes on, nothing reaches the terminal but what can be seen', async (t) => {
  const { socketPath, control } = await startServer(t);
  const hostile = 'x\x1b[2J\x9b1m\x7f\u202e\ny';
  control.held = [banReport({ offender: hostile, cause: hostile, since: hostile })];
  control.state = {
    ...STATUS,
    version: hostile,
    configuration: hostile,
    components: [{ component: 'journal', health: 'down', detail: hostile }],
    warnings: [warningReport({ subject: hostile, title: hostile, text: hostile, action: hostile })],
    jails: [{ ...SSHD, filters: [hostile], findTime: hostile, banTime: hostile }],
    refusedFilters: [{ name: hostile, problems: [hostile] }],
    refusedJails: [{ name: hostile, problems: [hostile] }],
  };
  for (const line of ['status', 'status sshd', 'bans', 'bans --json', 'status --json']) {
    const out = done(await run([...line.split(' '), '--socket', socketPath]));
    assert.doesNotMatch(out.replaceAll('\n', ''), /\p{C}/u, line);
  }
});

test('no line is wider than 80 columns for offenders of ordinary width', async (t) => {
  const { socketPath, control } = await startServer(t);
  control.held = [banReport({ offender: '2001:db8:1111:2222::/64' }), ...BANS];
  for (const line of ['status', 'status sshd', 'bans']) {
    const out = done(await run([...line.split(' '), '--socket', socketPath]));
    for (const shown of out.split('\n')) assert.ok(shown.length <= 80, shown);
  }
});
