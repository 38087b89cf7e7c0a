import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { renderActivity, showsUtf8, sparkline } from '../../../src/cli/render/sparkline.ts';
import { fakeTerminal } from '../fake-terminal.ts';

const SEED = 20_261_121;

describe('a sparkline', () => {
  it('draws the most as the highest bar and nothing as the lowest', () => {
    assert.equal(sparkline([0, 1, 50, 100], 4, '_.:-=+*#'), '_.=#');
    assert.equal(sparkline([0, 0, 0], 3, '▁▂▃▄▅▆▇█'), '▁▁▁');
  });

  it('adds up neighbours when there is less room than values', () => {
    assert.equal(sparkline([1, 1, 0, 0, 4, 0], 3, '_.:-#'), ':_#');
    assert.equal(sparkline([1, 1, 1, 1, 1], 2, '_#').length, 2);
  });

  it(`never draws something as nothing (seed ${SEED})`, () => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { minLength: 1, maxLength: 60 }), (values) => {
        const bars = [...sparkline(values, 60, '▁▂▃▄▅▆▇█')];
        assert.deepEqual(
          bars.map((bar) => bar === '▁'),
          values.map((value) => value === 0),
        );
      }),
      { seed: SEED },
    );
  });
});

describe('the last hour', () => {
  it('fits into every terminal, whatever the numbers', () => {
    for (const most of [0, 1, 99, 1e4, 1e5]) {
      const counts = Array.from({ length: 60 }, () => most);
      for (const columns of [60, 80, 100, 120]) {
        const line = renderActivity({ failures: counts, bans: counts }, fakeTerminal({ columns }));
        assert.ok(line.length <= columns, `${columns}: ${line}`);
      }
    }
  });
});

describe('the characters of a terminal', () => {
  it('are those that its locale names', () => {
    assert.ok(showsUtf8({ LANG: 'en_GB.UTF-8' }));
    assert.ok(showsUtf8({ LANG: 'C', LC_CTYPE: 'C.utf8' }));
    assert.ok(!showsUtf8({ LANG: 'en_GB.UTF-8', LC_ALL: 'C' }));
    assert.ok(!showsUtf8({}));
  });
});
