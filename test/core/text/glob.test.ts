import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fitsGlob } from '../../../src/core/text/glob.ts';

test('a star stands for any text, and letters for both their cases', () => {
  for (const [name, pattern] of [
    ['vaultwarden', 'vaultwarden'],
    ['stack-vaultwarden-1', '*vaultwarden*'],
    ['Vaultwarden/Server:latest', '*vaultwarden/*'],
    ['ghcr.io/goauthentik/server:2026.2', 'ghcr.io/*/server:*'],
    ['', '*'],
    ['aba', 'a*a'],
    ['axbxc', 'a*b*c'],
  ] as const) {
    assert.ok(fitsGlob(name, pattern), `${pattern} ${name}`);
  }
});

test('what the pattern does not say does not fit', () => {
  for (const [name, pattern] of [
    ['vaultwarden-1', 'vaultwarden'],
    ['a', 'a*a'],
    ['ab', '*b*b'],
    ['acb', 'a*b*c'],
    ['', 'a'],
    ['nginx', '*nginx*proxy*'],
  ] as const) {
    assert.ok(!fitsGlob(name, pattern), `${pattern} ${name}`);
  }
});

test('it says what the same expression says', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 });
  const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 6 });
  fc.assert(
    fc.property(text, pattern, (name, glob) => {
      assert.equal(fitsGlob(name, glob), new RegExp(`^${glob.replaceAll('*', '.*')}$`).test(name));
    }),
    { seed: 185, numRuns: 500 },
  );
});
