/** How long one pattern can take over one message. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { isLinear } from '../../src/match/expression/engine.ts';
import { CompiledPattern } from '../../src/match/pattern.ts';

const LENGTH = 65_536;

/** About 10 ms where nothing else runs; without the engine's limit this takes minutes. */
const MAX_MICROSECONDS = 200_000;

for (const source of ['^(.*)a(.*)b(.*)c$', '^(?:a*)*b$', '^(?:.*;)*(.*)=(.*)#$', '^(?:\\w+\\s?)*$'])
  it(`${source} takes linear time, whatever the text`, () => {
    assert.ok(isLinear(source));
    const pattern = new CompiledPattern({ form: 'regex', text: source });
    for (const text of ['a', 'ab ', 'ab;=x y', ' ', 'é']) {
      const message = text.repeat(LENGTH / text.length);
      const before = process.cpuUsage();
      pattern.read(message);
      assert.ok(process.cpuUsage(before).user < MAX_MICROSECONDS, text);
    }
  });
