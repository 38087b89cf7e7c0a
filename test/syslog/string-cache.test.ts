import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { StringCache } from '../../src/syslog/string-cache.ts';

test('the cache gives the bytes that were asked for, whatever was in it before', () => {
  const cache = new StringCache();
  const words = fc.string({ maxLength: 50, unit: fc.constantFrom(...'ab-/%~') });
  const property = fc.property(fc.array(words, { maxLength: 50 }), (texts) => {
    for (const text of texts) {
      const bytes = Buffer.from(`x${text}x`);
      assert.equal(cache.get(bytes, 1, bytes.length - 1), text);
    }
  });
  fc.assert(property, { seed: 1024, numRuns: 300 });
});

test('strings that share a slot replace each other', () => {
  const cache = new StringCache();
  for (let round = 0; round < 2; round++) {
    for (let number = 0; number < 5_000; number++) {
      const bytes = Buffer.from(`host${number}`);
      assert.equal(cache.get(bytes, 0, bytes.length), `host${number}`);
    }
  }
});
