import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ComponentName } from '../../../src/core/component.ts';
import { HOUR, MINUTE, type Microseconds } from '../../../src/core/time.ts';
import { type RaisedWarning, raise, type WarningCode } from '../../../src/core/warning/catalogue.ts';
import { MAX_SUBJECTS, StandingWarnings, type WarningTurns } from '../../../src/core/warning/standing.ts';

const silent = (sender: string) => raise('sender-silent', { reason: 'nothing comes' }, sender);
const lost = (count: number, listener = 'udp 192.0.2.1:514') => raise('datagrams-lost', { count }, listener);
const codesOf = (standing: StandingWarnings) => standing.list().map(({ code }) => code);

test('what is said again stands since the first time, with the latest text', () => {
  const standing = new StandingWarnings();
  assert.equal(standing.raise(lost(1), 1_000).began.length, 1);
  assert.deepEqual(standing.raise(lost(3), 2_000), { began: [], ended: [] });
  const [warning] = standing.list();
  assert.deepEqual(
    [warning?.since, warning?.text],
    [1_000, 'the kernel dropped 3 datagrams for udp 192.0.2.1:514'],
  );
});

test('the worst comes first, of those the oldest', () => {
  const standing = new StandingWarnings();
  standing.raise(raise('sender-storms', { reason: 'x' }, 'a'), 1);
  standing.raise(silent('nas1'), 3);
  standing.raise(silent('nas2'), 2);
  standing.raise(raise('control-down', { reason: 'x', remedy: 'y' }), 4);
  assert.deepEqual(
    standing.list().map(({ code, subject }) => `${code} ${subject}`),
    ['control-down ', 'sender-silent nas2', 'sender-silent nas1', 'sender-storms a'],
  );
});

test('while what it depends on stands, a warning is not shown, and comes back when that is over', () => {
  const standing = new StandingWarnings();
  standing.raise(raise('elements-refused', { reason: 'x', count: 1 }), 1);
  standing.raise(raise('firewall-failing', { reason: 'x', remedy: '' }), 2);
  assert.deepEqual(codesOf(standing), ['firewall-failing']);
  standing.clear('firewall-failing', '');
  assert.deepEqual(codesOf(standing), ['elements-refused']);
});

test('what happened in a moment is over when it has not happened again for its time', () => {
  const standing = new StandingWarnings();
  standing.raise(lost(1), 0);
  standing.raise(lost(2), 30 * MINUTE);
  assert.deepEqual(standing.expire(HOUR), { began: [], ended: [] });
  assert.equal(standing.expire(HOUR + 30 * MINUTE).ended.length, 1);
  assert.deepEqual(standing.list(), []);
});

test('of one kind so many are kept; the others are a number, and none is told as begun', () => {
  const standing = new StandingWarnings();
  let began = 0;
  for (let sender = 0; sender < MAX_SUBJECTS + 7; sender++)
    began += standing.raise(silent(`nas${sender}`), sender).began.length;
  assert.equal(began, MAX_SUBJECTS);
  assert.equal(standing.list().length, MAX_SUBJECTS);
  assert.equal(standing.list()[0]?.more, 7);
  standing.clear('sender-silent', `nas${MAX_SUBJECTS + 3}`);
  assert.equal(standing.list()[0]?.more, 6);
});

/** What anybody may say, in any order. */
type Word =
  | { readonly kind: 'raise'; readonly raised: RaisedWarning }
  | { readonly kind: 'clear'; readonly code: WarningCode; readonly subject: string }
  | { readonly kind: 'replace'; readonly owner: ComponentName; readonly raised: readonly RaisedWarning[] }
  | { readonly kind: 'expire' };

const subject = fc.constantFrom('', 'a', 'b');
const raisedByAny = fc.oneof(
  subject.map((name) => silent(name)),
  subject.map((name) => lost(1, name)),
);
const raisedByComponent = subject.map((name) => raise('filter-refused', { reason: 'x' }, name));
const word: fc.Arbitrary<Word> = fc.oneof(
  raisedByAny.map((raised) => ({ kind: 'raise' as const, raised })),
  subject.map((name) => ({ kind: 'clear' as const, code: 'sender-silent' as const, subject: name })),
  fc
    .array(raisedByComponent, { maxLength: 3 })
    .map((raised) => ({ kind: 'replace' as const, owner: 'configuration' as const, raised })),
  fc.constant({ kind: 'expire' as const }),
);

test('whoever follows the turns holds what stands, whatever is said in whatever order', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat({ max: 2 * HOUR }), word), { maxLength: 60 }), (said) => {
      const standing = new StandingWarnings();
      const followed = new Set<string>();
      let at: Microseconds = 0;
      for (const [pause, one] of said) {
        at += pause;
        const { began, ended } = say(standing, one, at);
        for (const { code, subject: name } of ended) assert.ok(followed.delete(`${code} ${name}`));
        for (const { code, subject: name } of began) {
          assert.ok(!followed.has(`${code} ${name}`));
          followed.add(`${code} ${name}`);
        }
        assert.deepEqual(
          new Set(standing.list().map(({ code, subject: name }) => `${code} ${name}`)),
          followed,
        );
      }
    }),
  );
});

function say(standing: StandingWarnings, one: Word, at: Microseconds): WarningTurns {
  switch (one.kind) {
    case 'raise':
      return standing.raise(one.raised, at);
    case 'clear':
      return standing.clear(one.code, one.subject);
    case 'replace':
      return standing.replace(one.owner, one.raised, at);
    case 'expire':
      return standing.expire(at);
  }
}
