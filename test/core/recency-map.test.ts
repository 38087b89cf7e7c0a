import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RecencyMap } from '../../src/core/recency-map.ts';

const SEED = 20_261_121;

test('it agrees with a list that is sorted by hand', () => {
  const key = fc.constantFrom('a', 'b', 'c', 'd', 'e');
  const step = fc.oneof(
    fc.record({ kind: fc.constant('touch' as const), key, value: fc.nat(9) }),
    fc.record({ kind: fc.constant('delete' as const), key }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const map = new RecencyMap<number>();
      let model: (readonly [string, number])[] = [];
      for (const action of steps) {
        const isKnown = model.some(([known]) => known === action.key);
        model = model.filter(([known]) => known !== action.key);
        if (action.kind === 'touch') {
          map.touch(action.key, action.value);
          model.push([action.key, action.value]);
        } else assert.equal(map.delete(action.key), isKnown);
        assert.deepEqual([...map], model);
        assert.equal(map.size, model.length);
        assert.equal(map.oldestKey(), model[0]?.[0] ?? null);
        for (const [known, value] of model) assert.equal(map.get(known), value);
        assert.equal(map.has(action.key), action.kind === 'touch');
      }
    }),
    { seed: SEED },
  );
});

test('what is being looked at may be deleted', () => {
  const map = new RecencyMap<number>();
  for (const key of ['a', 'b', 'c']) map.touch(key, 0);
  for (const [key] of map) map.delete(key);
  assert.deepEqual([...map], []);
  assert.equal(map.oldestKey(), null);
});
