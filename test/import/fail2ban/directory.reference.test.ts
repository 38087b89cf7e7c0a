import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseAddress } from '../../../src/core/address/address.ts';
import type { Match } from '../../../src/core/failure.ts';
import { importFail2ban } from '../../../src/import/fail2ban/directory.ts';
import { importFilter } from '../../../src/import/fail2ban/filter.ts';
import { parseIni } from '../../../src/import/fail2ban/ini.ts';
import { Remarks } from '../../../src/import/fail2ban/remark.ts';
import { readSettings } from '../../../src/import/fail2ban/settings.ts';
import { asFilter } from '../../../src/import/python-regex/examine.ts';
import { createMatcher, type Matcher } from '../../../src/match/matcher.ts';
import { recordOf } from '../../match/records.ts';
import { type Case, readCases, whyNoCases } from '../cases.ts';
import { FAIL2BAN_DIRECTORY, findWithFail2ban, whyNoReference } from '../reference.ts';

/** At least that share of fail2ban's own filters is carried over. */
const LEAST_CONVERTED = 0.95;

/** Cases in which fail2ban finds an address and we do not, and why. */
const KNOWN_MISSES: ReadonlyMap<string, string> = new Map([
  [
    'roundcube-auth fail2ban-9b4c5c630c3b',
    'two readings: the name that the client gave holds an address too',
  ],
  [
    'roundcube-auth fail2ban-f43dc07cebae',
    'two readings: the name that the client gave holds an address too',
  ],
  [
    'named-refused fail2ban-a165bd534828',
    "a line of named's own file, of which the first word is no program",
  ],
]);

test("nearly all of fail2ban's own filters are carried over", (t) => {
  const reason = whyNoReference();
  if (reason !== '') return t.skip(reason);
  const { tally, filters, jails } = importFail2ban(FAIL2BAN_DIRECTORY, { all: true, ours: null });
  t.diagnostic(
    `${tally.filters - tally.refused.length} of ${tally.filters} filters, not ${tally.refused.join(', ') || 'none'}`,
  );
  t.diagnostic(
    `${filters.reduce((sum, { rules }) => sum + rules.length, 0)} rules, ${jails.length} of ${tally.jails} jails`,
  );
  assert.ok(
    tally.filters - tally.refused.length >= LEAST_CONVERTED * tally.filters,
    tally.refused.join(', '),
  );
});

test('an imported filter finds the address that fail2ban-regex finds, and no other', async (t) => {
  const reason = whyNoReference() || whyNoCases();
  if (reason !== '') return t.skip(reason);
  const cases = readCases();
  const { filters } = importFail2ban(FAIL2BAN_DIRECTORY, { all: true, ours: null });
  const stems = [...new Set(filters.map(({ source }) => source.replace(/^filter\.d\/|\.conf$/g, '')))];
  const missed: string[] = [];
  const wrong: string[] = [];
  let [same, more] = [0, 0];
  for (const stem of stems) {
    const mine = cases.filter((one) => concerns(stem, one));
    for (const mode of mine.length === 0 ? [] : modesOf(stem, mine)) {
      const lines = mine.flatMap((one) => one.lines.map(({ raw }) => raw));
      const reference = await findWithFail2ban(mode === '' ? stem : `${stem}[mode=${mode}]`, lines);
      const matcher = matcherOf(stem, mode);
      for (const one of mine) {
        const wanted = canonical(one.lines.flatMap(({ raw }) => reference.get(raw) ?? []));
        const found = matcher === null ? [] : canonical(findOurs(matcher, one));
        if (wanted.join() === found.join()) same++;
        else if (found.length === 0) missed.push(`${stem} ${one.id}`);
        else if (wanted.length === 0) more++;
        else wrong.push(`${stem} ${mode} ${one.id}: ${wanted.join()} became ${found.join()}`);
      }
    }
  }
  t.diagnostic(`${same} alike, ${missed.length} missed, ${wrong.length} wrong, ${more} only we find`);
  assert.deepEqual(wrong, []);
  assert.deepEqual(
    missed.filter((name) => !KNOWN_MISSES.has(name)),
    [],
  );
});

/** Whether a case is of the service that a filter is for. */
function concerns(stem: string, { service, origin }: Case): boolean {
  return stem === service || stem.startsWith(`${service}-`) || origin.includes(`/${stem}:`);
}

/** The default mode '', and those that the cases name and the filter knows. */
function modesOf(stem: string, cases: readonly Case[]): string[] {
  const text = readFileSync(join(FAIL2BAN_DIRECTORY, 'filter.d', `${stem}.conf`), 'utf8');
  const named = new Set(cases.flatMap(({ modes }) => modes));
  const known = [...named].filter(
    (mode) => text.includes('<mode>') && new RegExp(`-${mode}\\b.*=`, 'm').test(text),
  );
  return ['', ...known.filter((mode) => mode !== 'default')];
}

function matcherOf(stem: string, mode: string): Matcher | null {
  const file = `filter.d/${stem}.conf`;
  const settings = readSettings([file], (path) => {
    try {
      return parseIni(path, readFileSync(join(FAIL2BAN_DIRECTORY, path), 'utf8'));
    } catch {
      return null;
    }
  });
  const place = { file, line: 0 };
  const options = new Map(mode === '' ? [] : [['mode', [{ text: mode, place }]] as const]);
  const filter = importFilter({ name: stem, file, settings, options }, new Remarks(stem));
  return filter === null ? null : createMatcher([asFilter(filter)]);
}

/** Addresses of the failures in the lines of one case, in order. */
function findOurs(matcher: Matcher, { lines }: Case): string[] {
  const found: Match[] = [];
  for (const { message, identifier, pid } of lines) {
    const record = recordOf({ message, identifier, pid });
    if (identifier === '') matcher.matchAll(record, found);
    else matcher.match(record, found);
  }
  return found.filter(({ kind }) => kind === 'failure').map(({ address }) => address);
}

/** Each address once, in one spelling. */
function canonical(addresses: readonly string[]): string[] {
  return [...new Set(addresses.map((address) => parseAddress(address) ?? address))].sort();
}
