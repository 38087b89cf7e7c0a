/** How soon what other programs take out of the ruleset is back. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ElementWatch } from '../bed/kernel.ts';
import { ATTACKERS_IPV4 } from '../bed/namespace.ts';
import { failLogins, openScene, type Scene, SOON_MILLISECONDS, sceneMissing, waitForBan } from './scene.ts';

const [attacker = ''] = ATTACKERS_IPV4;
const REPAIR_MILLISECONDS = 1_000;

describe('the table', { skip: sceneMissing }, () => {
  let scene: Scene;
  let watch: ElementWatch;
  before(async () => {
    scene = await openScene();
    watch = await ElementWatch.start(scene.bed);
    await failLogins(scene.journald, attacker, 3);
    await waitForBan(scene.daemon, attacker);
  });
  after(() => scene?.bed.close());

  for (const robbery of [`delete element inet bailiff ban4 { ${attacker} }`, 'flush ruleset']) {
    test(`is as it should be within a second of: nft ${robbery.replace(attacker, 'ADDRESS')}`, async () => {
      watch.forget();
      const back = watch.added('ban4', attacker, SOON_MILLISECONDS);
      await scene.bed.run(['nft', robbery]);
      const robbedAt = process.hrtime.bigint();
      const milliseconds = Number((await back) - robbedAt) / 1e6;
      assert.ok(milliseconds < REPAIR_MILLISECONDS, `it took ${milliseconds} ms`);
    });
  }
});
