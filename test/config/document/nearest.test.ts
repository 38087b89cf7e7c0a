import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { nearest } from '../../../src/config/document/nearest.ts';

const KEYS = ['find_time', 'max_retry', 'ban_time', 'ignore', 'ports', 'mode'];

for (const [written, meant] of [
  ['max_retrys', 'max_retry'],
  ['maxretry', 'max_retry'],
  ['bantime', 'ban_time'],
  ['ban-time', 'ban_time'],
  ['Find_Time', 'find_time'],
  ['ignoreip', 'ignore'],
  ['port', 'ports'],
  ['mdoe', 'mode'],
] as const) {
  test(`${written} is taken for ${meant}`, () => assert.equal(nearest(written, KEYS), meant));
}

for (const written of ['', 'x', 'logpath', 'action', 'banaction']) {
  test(`"${written}" is like no key`, () => assert.equal(nearest(written, KEYS), null));
}

test('two neighbours that changed places are one error, and so is any single slip', () => {
  fc.assert(
    fc.property(
      fc.stringMatching(/^[a-z]{4,12}$/),
      fc.nat(),
      fc.constantFrom('drop', 'swap', 'add'),
      (word, at, slip) => {
        const index = at % (word.length - 1);
        const [head, first = '', second = '', tail] = [
          word.slice(0, index),
          word[index],
          word[index + 1],
          word.slice(index + 2),
        ];
        const slips = {
          drop: head + second + tail,
          swap: head + second + first + tail,
          add: `${head}${first}q${second}${tail}`,
        };
        assert.equal(nearest(slips[slip], ['0123456789', word]), word);
      },
    ),
  );
});

test('the nearest of several is taken, the first of equals', () => {
  assert.equal(nearest('sshd', ['sshd-auth', 'ssh', 'sshe']), 'ssh');
  assert.equal(nearest('sshd', ['sshd2', 'sshd']), 'sshd');
});
