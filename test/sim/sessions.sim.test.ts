/**
 * Sessions over restarts and reloads, from seeds: a stream of lines that is interrupted anywhere, by a kill or a
 * reload, finds the same failures as one that is not. `BAILIFF_SIM_SEED=7 BAILIFF_SIM_WORLDS=1` runs one again.
 */
import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import type { Match } from '../../src/core/failure.ts';
import type { LogRecord } from '../../src/core/record.ts';
import { SECOND } from '../../src/core/time.ts';
import type { Filter } from '../../src/match/filter.ts';
import { createMatcher, type Matcher } from '../../src/match/matcher.ts';
import { migrate } from '../../src/state/schema.ts';
import { SessionLog, sessionsToText } from '../../src/state/session-log.ts';
import { filterOf, recordOf, ruleOf } from '../match/records.ts';
import { Random } from './random.ts';

const FIRST_SEED = Number(process.env.BAILIFF_SIM_SEED ?? 1);
const WORLDS = Number(process.env.BAILIFF_SIM_WORLDS ?? 60);
const LINES = 400;

/** Attempts of several lines, addresses that are named once, and lines that only count behind others. */
const FILTERS: readonly Filter[] = [
  filterOf(
    [
      ruleOf('connect from <address>', { name: 'connect', kind: 'note', remember: true }),
      ruleOf('invalid user <user> from <address>', { name: 'start', attempt: 'start' }),
      ruleOf('failed for <user> from <address>', { name: 'result', attempt: 'result' }),
      ruleOf('closed by <address>', { name: 'end', attempt: 'end' }),
      ruleOf('denied', { name: 'denied' }),
      ruleOf('welcome', { name: 'welcome', kind: 'success' }),
    ],
    {},
    'login',
  ),
  filterOf(
    [
      ruleOf('conn=<int:session> from <address>', { name: 'accept', kind: 'note', remember: true }),
      ruleOf('conn=<int:session> err=49', { name: 'bind', after: ['accept'] }),
    ],
    {},
    'directory',
  ),
];

function chooseLine(random: Random, at: number): LogRecord {
  const address = `203.0.113.${random.below(4)}`;
  const message = random.pick([
    `connect from ${address}`,
    `invalid user root from ${address}`,
    `failed for root from ${address}`,
    `closed by ${address}`,
    'denied',
    'welcome',
    `conn=${random.below(5)} from ${address}`,
    `conn=${random.below(5)} err=49`,
  ]);
  const sender = random.chance(0.5) ? '' : '192.0.2.1';
  return recordOf({ message, sender, at, pid: random.chance(0.8) ? String(random.below(6)) : '' });
}

/** What a matcher finds in one line. */
function look(matcher: Matcher, record: LogRecord): string[] {
  const found: Match[] = [];
  matcher.match(record, found);
  return found.map(
    ({ filter, rule, kind, address, weight }) => `${filter} ${rule} ${kind} ${address} ${weight}`,
  );
}

class Life {
  readonly #database = new DatabaseSync(':memory:');
  readonly #lines: readonly LogRecord[];
  readonly #random: Random;
  #matcher = createMatcher(FILTERS, null, true);
  #log: SessionLog;
  /** By line; those from `#stored` on are gone with the process. */
  readonly found: string[][] = [];
  #stored = 0;

  constructor(lines: readonly LogRecord[], random: Random) {
    this.#lines = lines;
    this.#random = random;
    migrate(this.#database);
    this.#log = new SessionLog(this.#database);
  }

  run(): void {
    while (this.found.length < this.#lines.length) {
      const dice = this.#random.next();
      if (dice < 0.75) this.#read();
      else if (dice < 0.88) this.#commit();
      else if (dice < 0.94) this.#kill();
      else this.#reload();
    }
  }

  #read(): void {
    const line = this.#lines[this.found.length];
    if (line !== undefined) this.found.push(look(this.#matcher, line));
  }

  /** Now and then the disk refuses. */
  #commit(): void {
    const sessions = this.#matcher.takeSessions();
    if (this.#random.chance(0.2)) {
      this.#matcher.returnSessions();
      return;
    }
    const text = sessionsToText(sessions);
    if (text !== null) {
      this.#log.add(text);
      assert.equal(this.#log.settle(), 0);
    }
    this.#stored = this.found.length;
  }

  #kill(): void {
    this.found.length = this.#stored;
    this.#log = new SessionLog(this.#database);
    this.#matcher = createMatcher(FILTERS, null, true);
    this.#matcher.restoreSessions(this.#log.read() ?? [], 0);
  }

  /** The filters are read anew, and say the same. */
  #reload(): void {
    const next = createMatcher(structuredClone(FILTERS), null, true);
    next.adoptSessions(this.#matcher);
    this.#matcher = next;
  }
}

test('a stream of lines that is interrupted anywhere finds what one finds that is not', () => {
  let counted = 0;
  for (let seed = FIRST_SEED; seed < FIRST_SEED + WORLDS; seed++) {
    const random = new Random(seed);
    let at = 0;
    const lines = Array.from({ length: LINES }, () => {
      at += random.below(random.chance(0.05) ? 200 : 10);
      return chooseLine(random, at);
    });
    const whole = createMatcher(FILTERS);
    const expected = lines.map((line) => look(whole, line));
    const life = new Life(lines, random);
    life.run();
    assert.deepEqual(life.found, expected, `world of seed ${seed}`);
    counted += expected.flat().filter((text) => / failure /.test(text)).length;
  }
  assert.ok(counted > WORLDS * 50, `${counted} failures`);
});

test('a filter whose rules have changed begins anew, another goes on', () => {
  const line = (message: string) => recordOf({ message, pid: '7' });
  const matcher = createMatcher(FILTERS, null, true);
  look(matcher, line('connect from 203.0.113.9'));
  look(matcher, line('conn=1 from 203.0.113.9'));
  const [login, directory] = FILTERS;
  assert.ok(login !== undefined && directory !== undefined);
  const changed = { ...login, rules: [...login.rules, ruleOf('another', { name: 'another' })] };
  const kept = matcher.takeSessions();
  const reloaded = createMatcher([changed, directory], null, true);
  reloaded.adoptSessions(matcher);
  const restarted = createMatcher([changed, directory], null, true);
  restarted.restoreSessions(kept, 0);
  for (const next of [reloaded, restarted]) {
    assert.deepEqual(look(next, line('denied')), []);
    assert.deepEqual(look(next, line('conn=1 err=49')), ['directory bind failure 203.0.113.9 1']);
  }
});

test('behind a boot a PID of this host is that of another process, but what was written before goes on', () => {
  const bootAt = 20 * SECOND;
  for (const [sender, at, expected] of [
    ['', 19, ['login denied failure 203.0.113.9 1']],
    ['', 20, []],
    ['192.0.2.1', 20, ['login denied failure 203.0.113.9 1']],
  ] as const) {
    const line = (message: string, seconds: number) => recordOf({ message, pid: '7', sender, at: seconds });
    const matcher = createMatcher(FILTERS, null, true);
    look(matcher, line('connect from 203.0.113.9', 10));
    const restarted = createMatcher(FILTERS, null, true);
    restarted.restoreSessions(matcher.takeSessions(), bootAt);
    assert.deepEqual(look(restarted, line('denied', at)), expected, `${sender} ${at}`);
  }
});
