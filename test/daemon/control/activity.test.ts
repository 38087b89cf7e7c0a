import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HOUR, MINUTE } from '../../../src/core/time.ts';
import { ACTIVITY_MINUTES, Activity } from '../../../src/daemon/control/activity.ts';
import { STORY, STORY_EVENTS } from '../../metrics/story.ts';

function setUp() {
  const clock = { at: 1_000 * HOUR, now: () => clock.at };
  const activity = new Activity(clock);
  return { clock, activity };
}

/** Minutes ago, and what was counted then. */
function found(counts: readonly number[]): Record<number, number> {
  const entries = counts.map((count, index) => [counts.length - 1 - index, count] as const);
  return Object.fromEntries(entries.filter(([, count]) => count > 0));
}

test('failures and bans count in the minute in which they come', () => {
  const { clock, activity } = setUp();
  activity.observe(STORY.failure);
  clock.at += 59 * MINUTE + MINUTE / 2;
  activity.observe(STORY.failure);
  activity.observe(STORY.failure);
  activity.observe(STORY.ban);
  const { failures, bans } = activity.report();
  assert.deepEqual([failures.length, bans.length], [ACTIVITY_MINUTES, ACTIVITY_MINUTES]);
  assert.deepEqual([found(failures), found(bans)], [{ 59: 1, 0: 2 }, { 0: 1 }]);
});

test('what is older than an hour is forgotten, however long nothing happened', () => {
  const { clock, activity } = setUp();
  activity.observe(STORY.failure);
  clock.at += HOUR;
  assert.deepEqual(found(activity.report().failures), {});
  activity.observe(STORY.failure);
  clock.at += 100 * 24 * HOUR;
  activity.observe(STORY.ban);
  assert.deepEqual([found(activity.report().failures), found(activity.report().bans)], [{}, { 0: 1 }]);
});

test('no other event counts, nor a ban that was found in the kernel', () => {
  const { activity } = setUp();
  for (const event of STORY_EVENTS) if (!['failure', 'ban'].includes(event.kind)) activity.observe(event);
  activity.observe({ ...STORY.ban, ban: { ...STORY.ban.ban, cause: 'restore' } });
  assert.deepEqual([found(activity.report().failures), found(activity.report().bans)], [{}, {}]);
});

test('a report is not changed by what happens after it', () => {
  const { activity } = setUp();
  const before = activity.report();
  activity.observe(STORY.failure);
  assert.deepEqual(found(before.failures), {});
});
