import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderVerdicts } from '../../../src/cli/commands/daemon/doctor.ts';
import { judge } from '../../../src/cli/doctor/ban-proof.ts';
import { type Check, type DoctorWorld, found, ok } from '../../../src/cli/doctor/check.ts';
import { configuration, daemon } from '../../../src/cli/doctor/daemon.ts';
import { examineWorld } from '../../../src/cli/doctor/examine.ts';
import { OperationalError } from '../../../src/core/errors.ts';
import { raise } from '../../../src/core/warning/catalogue.ts';
import { planOf } from '../../daemon/parts.ts';
import { STATUS } from '../../http/fake-control.ts';
import { assertGolden, fakeTerminal } from '../fake-terminal.ts';

const WORLD: DoctorWorld = {
  status: STATUS,
  senders: null,
  plan: planOf(),
  faults: [],
  isRoot: true,
  run: async () => null,
};

test('what the daemon knows to be wrong comes with it, and its silence is an error', async () => {
  const verdicts = await examineWorld(WORLD, [daemon]);
  assert.deepEqual(
    verdicts.map(({ verdict }) => verdict),
    ['error', 'ok'],
  );
  assert.match(verdicts[0]?.action ?? '', /^install it/);
  const [silent] = await examineWorld({ ...WORLD, status: null }, [daemon]);
  assert.deepEqual([silent?.verdict, silent?.action], ['error', 'systemctl start bailiff']);
});

test('files with a fault are an error that names it', async () => {
  const [verdict] = await examineWorld({ ...WORLD, plan: null, faults: ['bailiff.toml:2:1: no'] }, [
    configuration,
  ]);
  assert.deepEqual([verdict?.verdict, verdict?.text], ['error', 'bailiff.toml:2:1: no']);
});

test('a check that the world does not let work is skipped with the reason, and the others are made', async () => {
  const broken: Check = {
    name: 'broken',
    run: () => Promise.reject(new OperationalError('no such library', { code: 'library-missing' })),
  };
  const well: Check = { name: 'well', run: async () => [ok('well', 'is well')] };
  assert.deepEqual(
    (await examineWorld(WORLD, [broken, well])).map(({ check, verdict, text }) => [check, verdict, text]),
    [
      ['well', 'ok', 'is well'],
      ['broken', 'skipped', 'no such library'],
    ],
  );
});

test('a ban is proved by who got through before, during and after it', () => {
  const proof = { before: true, during: false, after: true, failure: '' };
  assert.equal(judge(proof).verdict, 'ok');
  assert.equal(judge({ ...proof, during: true }).verdict, 'error');
  assert.equal(judge({ ...proof, after: false }).verdict, 'error');
  assert.equal(judge({ ...proof, failure: 'no nf_tables' }).verdict, 'error');
  assert.equal(judge({ ...proof, before: false }).verdict, 'skipped');
});

test('the report is a paragraph for each, the worst first, and counts them', () => {
  const verdicts = [
    found('neighbours', raise('fail2ban-runs', { pid: 812 })),
    found('senders', raise('sender-clock', { skew: '1h ahead', isZone: 1 }, 'nas1')),
    ok('ban', 'a banned address was kept out, and let in again when it was unbanned'),
  ];
  assertGolden('doctor', renderVerdicts(verdicts, fakeTerminal()));
});
