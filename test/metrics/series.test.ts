import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { LabelName } from '../../src/metrics/entry.ts';
import { LabelValues, MAX_LABEL_VALUES, OTHER, SeriesSet } from '../../src/metrics/series.ts';

const SEED = 20_261_122;

function counting(): { accepted: LabelValues; overflows: LabelName[] } {
  const overflows: LabelName[] = [];
  return { accepted: new LabelValues((label) => overflows.push(label)), overflows };
}

describe('a series set', () => {
  it('has one cell for each combination of label values', () => {
    const series = new SeriesSet(['jail', 'filter'], counting().accepted);
    series.cell('sshd', 'sshd').value += 2;
    series.cell('sshd', 'dropbear').value += 3;
    series.cell('sshd', 'sshd').value += 4;
    assert.deepEqual(series.cells, [
      { labels: { jail: 'sshd', filter: 'sshd' }, value: 6 },
      { labels: { jail: 'sshd', filter: 'dropbear' }, value: 3 },
    ]);
    series.clear();
    assert.deepEqual(series.cells, []);
  });

  it('forgets one series and keeps the others', () => {
    const one = new SeriesSet(['jail'], new LabelValues(() => {}));
    one.cell('a').value = 1;
    one.cell('b').value = 2;
    one.remove('a');
    one.remove('c');
    assert.deepEqual(one.cells, [{ labels: { jail: 'b' }, value: 2 }]);
    assert.equal(one.cell('a').value, 0, 'it begins anew');
    const two = new SeriesSet(['jail', 'cause'], new LabelValues(() => {}));
    two.cell('a', 'x').value = 1;
    two.cell('a', 'y').value = 2;
    two.remove('a', 'x');
    two.remove('b', 'x');
    assert.deepEqual(two.cells, [{ labels: { jail: 'a', cause: 'y' }, value: 2 }]);
  });

  it('has one cell without labels', () => {
    const series = new SeriesSet([], counting().accepted);
    assert.equal(series.cell(), series.cell());
    assert.deepEqual(series.cells, [{ labels: {}, value: 0 }]);
  });

  it('gathers what comes beyond the limit in one cell, and reports each time', () => {
    const { accepted, overflows } = counting();
    const series = new SeriesSet(['jail'], accepted);
    for (let number = 0; number < MAX_LABEL_VALUES + 10; number++) series.cell(`jail-${number}`).value++;
    for (let number = 0; number < MAX_LABEL_VALUES + 10; number++) series.cell(`jail-${number}`).value++;
    assert.equal(series.cells.length, MAX_LABEL_VALUES + 1);
    assert.deepEqual(series.cells.at(-1), { labels: { jail: OTHER }, value: 20 });
    assert.deepEqual(overflows, new Array<LabelName>(20).fill('jail'));
  });

  it('takes the same values of a label as every other set', () => {
    const { accepted } = counting();
    const first = new SeriesSet(['jail'], accepted);
    for (let number = 0; number < MAX_LABEL_VALUES; number++) first.cell(`jail-${number}`);
    const second = new SeriesSet(['jail'], accepted);
    assert.equal(second.cell('jail-7').labels.jail, 'jail-7');
    assert.equal(second.cell('late').labels.jail, OTHER);
  });

  it(`never holds a label value that is no name, nor more cells than the limit (seed ${SEED})`, () => {
    const { accepted } = counting();
    const series = new SeriesSet(['filter'], accepted);
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('__proto__', '', 'a'.repeat(65), 'x y'),
    );
    fc.assert(
      fc.property(text, (value) => {
        assert.match(series.cell(value).labels.filter ?? '', /^[\w.:~+@-]{1,64}$/);
        assert.ok(series.cells.length <= MAX_LABEL_VALUES + 1);
      }),
      { seed: SEED, numRuns: 2_000 },
    );
  });
});
