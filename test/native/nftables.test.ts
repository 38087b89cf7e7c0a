import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openNftContext } from '../../src/native/nftables.ts';
import { requirements } from '../bed/requirements.ts';

const skip = requirements('nft') ?? false;

test('a script that is no script is refused with the reason, and changes nothing', { skip }, () => {
  const context = openNftContext();
  const result = context.run('add nonsense');
  assert.equal(result.ok, false);
  assert.match(result.error, /syntax error/);
  assert.equal(result.output, '');
  context.close();
});

test('messages are of the last script only', { skip }, () => {
  const context = openNftContext();
  context.run('add nonsense');
  assert.deepEqual(context.run('# nothing'), { ok: true, output: '', error: '' });
  context.close();
});

test('several contexts can be open', { skip }, () => {
  const [first, second] = [openNftContext(), openNftContext()];
  first.close();
  assert.equal(second.run('# nothing').ok, true);
  second.close();
});
