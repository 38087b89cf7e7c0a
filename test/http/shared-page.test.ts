import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SECOND } from '../../src/core/time.ts';
import { SharedPage } from '../../src/http/shared-page.ts';

function pageOf(render: (count: number) => Promise<string>) {
  const time = { at: 7 * SECOND, rendered: 0 };
  const page = new SharedPage(() => render(++time.rendered), { now: () => time.at });
  return { page, time, read: async () => (await page.read()).toString() };
}

test('all who ask within a second get one page, the next one a new page', async () => {
  const { read, time } = pageOf(async (count) => `page ${count}`);
  assert.deepEqual(await Promise.all([read(), read(), read()]), ['page 1', 'page 1', 'page 1']);
  time.at += SECOND - 1;
  assert.equal(await read(), 'page 1');
  time.at += 1;
  assert.equal(await read(), 'page 2');
  assert.equal(time.rendered, 2);
});

test('a page that could not be made is made anew for the next one who asks', async () => {
  const { read } = pageOf(async (count) => {
    if (count === 1) throw new Error('once');
    return 'page';
  });
  await assert.rejects(read(), { message: 'once' });
  assert.equal(await read(), 'page');
});
