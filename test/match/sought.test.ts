import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nearnessOf, shareClauses } from '../../src/match/sought.ts';

const client = (text: string) => ({ prefixes: [''], required: [[`${text}, client: `]] });

describe('what rules look for in a message', () => {
  it('is one thing for all of them when they need the same', () => {
    const [first, second] = shareClauses([client('denied'), client('denied')]);
    assert.deepEqual(first, second);
    assert.equal(first?.[0], second?.[0]);
  });

  it('begins with a text that many share, each followed by its own', () => {
    const plain = { prefixes: [''], required: [[', client: ']] };
    const needs = shareClauses([client('denied'), client('forbidden'), plain]);
    assert.deepEqual(
      needs.map(({ length }) => length),
      [2, 2, 1],
    );
    assert.ok(needs.every(([sought]) => sought === needs[2]?.[0]));
    assert.ok(needs.every(([sought]) => sought?.isIn('x, client: y', 1)));
    assert.deepEqual(
      needs.map((soughts) => soughts.every((sought) => sought.isIn('denied, client: y', 2))),
      [true, false, true],
    );
  });

  it('is one text at most where the beginning says enough', () => {
    const required = [['denied', 'refused'], ['from ']];
    const [needs] = shareClauses([{ prefixes: ['connection '], required }]);
    assert.equal(needs?.length, 1);
    assert.ok(needs?.[0]?.isIn('connection from nowhere', 1));
  });

  it('is looked for again in every message', () => {
    const [[sought] = []] = shareClauses([{ prefixes: [''], required: [['denied', 'refused']] }]);
    assert.ok(sought?.isIn('was refused', 1));
    assert.ok(!sought?.isIn('was let in', 2));
    assert.ok(sought?.isIn('was denied', 3));
  });
});

it('a message looks like a rule when beginning or contents are long enough to tell', () => {
  assert.equal(nearnessOf({ prefixes: ['refused ', 'denied '], required: [] }), 'begins');
  assert.equal(nearnessOf({ prefixes: ['refused ', '['], required: [] }), 'never');
  assert.equal(nearnessOf({ prefixes: ['['], required: [['refused', 'denied']] }), 'contains');
  assert.equal(nearnessOf({ prefixes: ['['], required: [['refused', 'no']] }), 'never');
});
