import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { MILLISECOND } from '../../src/core/time.ts';
import { raise } from '../../src/core/warning/catalogue.ts';
import { Health } from '../../src/daemon/health.ts';
import { Supervision } from '../../src/daemon/supervision.ts';
import type { ServiceManager } from '../../src/native/service-manager.ts';
import { failureOf, START } from './parts.ts';

/** Keeps what it is told, unless its socket is gone. */
class FakeManager implements ServiceManager {
  readonly present = true;
  readonly watchdogInterval: number | null;
  readonly told: string[] = [];
  isGone = false;

  constructor(watchdogInterval: number | null = null) {
    this.watchdogInterval = watchdogInterval;
  }

  ready = (status: string): void => this.#tell(`ready: ${status}`);
  status = (status: string): void => this.#tell(`status: ${status}`);
  reloading = (): void => this.#tell('reloading');
  stopping = (): void => this.#tell('stopping');
  watchdog = (): void => this.#tell('watchdog');

  #tell(what: string): void {
    if (this.isGone) throw failureOf('ECONNREFUSED');
    this.told.push(what);
  }
}

function setUp(t: TestContext, manager: FakeManager | null = new FakeManager()) {
  const health = new Health({ now: () => START }, (event) => supervision.observe(event));
  const supervision: Supervision = new Supervision(health, manager);
  t.after(() => supervision.close());
  const ail = (subject: string): void => {
    const warnings = [raise('sender-silent', { reason: 'nothing comes' }, subject)];
    health.observe({ kind: 'component', component: 'state', health: 'degraded', detail: '', warnings });
  };
  return { supervision, ail, told: manager?.told ?? [] };
}

test('the service manager hears that the daemon is ready, and then how it is whenever that changes', (t) => {
  const { supervision, ail, told } = setUp(t);
  ail('a slow disk');
  assert.deepEqual(told, [], 'before it is ready there is nothing to tell');
  supervision.ready();
  ail('a slow disk');
  ail('a full disk');
  supervision.observe({ kind: 'ready' });
  assert.deepEqual(told, [
    'ready: warning: a slow disk: nothing comes',
    'status: warning: a full disk: nothing comes',
  ]);
});

test('a reload is told around, also when it fails', async (t) => {
  const { supervision, told } = setUp(t);
  supervision.ready();
  assert.equal(await supervision.whileReloading(async () => 7), 7);
  await assert.rejects(
    supervision.whileReloading(() => Promise.reject(new Error('no'))),
    /no/,
  );
  assert.deepEqual(told.slice(1), ['reloading', 'ready: all is well', 'reloading', 'ready: all is well']);
});

test('after "stopping" the status stays', (t) => {
  const { supervision, ail, told } = setUp(t);
  supervision.ready();
  supervision.stopping();
  ail('closed');
  assert.deepEqual(told, ['ready: all is well', 'stopping']);
});

test('the watchdog is fed three times in its interval, and no more after the end', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const { supervision, told } = setUp(t, new FakeManager(3_000 * MILLISECOND));
  supervision.ready();
  t.mock.timers.tick(2_999);
  assert.deepEqual(told.slice(1), ['watchdog', 'watchdog']);
  supervision.close();
  t.mock.timers.tick(9_000);
  assert.equal(told.length, 3);
});

test('a service manager that is gone, or never was, is no reason to end', async (t) => {
  const manager = new FakeManager();
  const { supervision, ail } = setUp(t, manager);
  manager.isGone = true;
  supervision.ready();
  ail('alone');
  supervision.stopping();
  const { supervision: alone } = setUp(t, null);
  alone.ready();
  assert.equal(await alone.whileReloading(async () => 'done'), 'done');
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} asks the daemon to stop`, async (t) => {
    const { supervision } = setUp(t);
    process.kill(process.pid, signal);
    assert.equal(await supervision.untilStopSignal(), signal);
  });
}

test('SIGHUP reloads, each time', async (t) => {
  const { supervision } = setUp(t);
  for (let round = 0; round < 2; round++) {
    const reloaded = Promise.withResolvers<void>();
    supervision.onReloadSignal(async () => reloaded.resolve());
    process.kill(process.pid, 'SIGHUP');
    await reloaded.promise;
  }
});

test('a SIGHUP that came during the start is not forgotten', async (t) => {
  const { supervision } = setUp(t);
  const arrived = new Promise((resolve) => process.once('SIGHUP', resolve));
  process.kill(process.pid, 'SIGHUP');
  await arrived;
  let reloads = 0;
  const reload = async () => {
    reloads++;
  };
  supervision.onReloadSignal(reload);
  supervision.onReloadSignal(reload);
  assert.equal(reloads, 1);
});

test('a reload by signal that is refused has nobody to tell, and ends nothing', async (t) => {
  const { supervision } = setUp(t);
  const refused = Promise.withResolvers<void>();
  supervision.onReloadSignal(() => {
    setImmediate(() => refused.resolve());
    return Promise.reject(failureOf('stopping'));
  });
  process.kill(process.pid, 'SIGHUP');
  await refused.promise;
});
