import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ComponentHealth, ComponentName } from '../../src/core/component.ts';
import type { BailiffEvent } from '../../src/core/event.ts';
import { DAY, HOUR, SECOND } from '../../src/core/time.ts';
import { type RaisedWarning, raise } from '../../src/core/warning/catalogue.ts';
import { Health } from '../../src/daemon/health.ts';
import { Recorder, START } from './parts.ts';

const FULL = raise('state-not-written', { reason: 'the disk is full', remedy: '' });
const MISSING = raise('journal-unreadable', { reason: 'no journal', remedy: 'start it' });

function setUp() {
  const clock = { at: START, now: () => clock.at };
  const recorder = new Recorder();
  const health = new Health(clock, recorder.emit);
  const tell = (component: ComponentName, state: ComponentHealth, warnings: readonly RaisedWarning[] = []) =>
    health.observe({ kind: 'component', component, health: state, detail: `${component} it is`, warnings });
  const turns = () =>
    recorder.events.flatMap((event: BailiffEvent) =>
      event.kind === 'warning-began' || event.kind === 'warning-ended'
        ? [`${event.kind.slice('warning-'.length)} ${event.warning.code}`]
        : [],
    );
  const codes = () => health.warnings().map(({ code }) => code);
  return { clock, health, tell, turns, codes };
}

test('nothing is known before a component speaks', () => {
  const { health } = setUp();
  health.observe({ kind: 'ready' });
  assert.deepEqual(health.components(), []);
  assert.deepEqual(health.warnings(), []);
  assert.equal(health.summary(), 'all is well');
});

test('the last word of each component counts, in the order of the house', () => {
  const { health, tell } = setUp();
  tell('control', 'up');
  tell('firewall', 'down');
  tell('configuration', 'up');
  tell('firewall', 'up');
  assert.deepEqual(
    health.components().map(({ component, health: state }) => `${component} ${state}`),
    ['configuration up', 'firewall up', 'control up'],
  );
});

test('what a component does not say any more is over, and both turns are told once', () => {
  const { tell, turns, codes } = setUp();
  tell('journal', 'down', [MISSING]);
  tell('state', 'degraded', [FULL]);
  tell('state', 'degraded', [FULL]);
  assert.deepEqual(codes(), ['journal-unreadable', 'state-not-written']);
  tell('state', 'up');
  assert.deepEqual(codes(), ['journal-unreadable']);
  assert.deepEqual(turns(), [
    'began journal-unreadable',
    'began state-not-written',
    'ended state-not-written',
  ]);
});

test('the summary names the worst and how many more there are; a hint is none of its business', () => {
  const { health, tell } = setUp();
  health.observe({ kind: 'sender-change', sender: '192.0.2.7', name: 'nas1', change: 'storm', detail: 'x' });
  assert.equal(health.summary(), 'all is well');
  tell('state', 'degraded', [FULL]);
  assert.equal(health.summary(), 'error: what has changed since is not on the disk: the disk is full');
  tell('journal', 'down', [MISSING]);
  assert.match(health.summary(), /^error: .* \(and 1 more: bailiff status\)$/);
});

test('what happens in a moment is shown for a while, with how often, and then counts anew', () => {
  const { clock, health } = setUp();
  const lose = (count: number) =>
    health.observe({ kind: 'kernel-loss', source: 'udp', listener: 'udp 192.0.2.1:514', count });
  lose(5);
  clock.at += HOUR - SECOND;
  lose(2);
  health.tick();
  assert.match(health.warnings()[0]?.text ?? '', /dropped 7 datagrams for udp 192\.0\.2\.1:514/);
  clock.at += HOUR;
  health.tick();
  assert.deepEqual(health.warnings(), []);
  lose(1);
  assert.match(health.warnings()[0]?.text ?? '', /dropped 1 datagram for/);
});

test('a certificate is warned of three weeks before its end, is an error after it, and is well when it is new', () => {
  const { clock, health, codes } = setUp();
  const load = (until: number | null) =>
    health.observe({ kind: 'certificate', certificate: 'syslog-server', until });
  load(START + 40 * DAY);
  assert.deepEqual(codes(), []);
  clock.at += 20 * DAY;
  health.tick();
  assert.match(health.warnings()[0]?.text ?? '', /expires in 20 days, on 2026-12-30$/);
  clock.at += 20 * DAY;
  health.tick();
  assert.deepEqual(codes(), ['certificate-ended']);
  load(clock.at + 90 * DAY);
  assert.deepEqual(codes(), []);
  load(clock.at);
  load(null);
  assert.deepEqual(codes(), [], "one that is used no more is nobody's worry");
});
