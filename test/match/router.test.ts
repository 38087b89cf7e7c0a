/** Rules are found by how a message begins and by the status of an access log's line; none that matches is missed. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { loadFilters } from '../../src/config/filters/filter-file.ts';
import { Router } from '../../src/match/router.ts';
import { accessStatus, compileFilter, NO_STATUS } from '../../src/match/rule.ts';

const FILTERS = join(import.meta.dirname, '../../etc/filters');
const { filters } = loadFilters([{ path: FILTERS, strict: true }], false);
const router = new Router(filters.map(compileFilter));
const rules = filters.flatMap((filter) => compileFilter(filter).rules);
const samples = rules.flatMap(({ rule }) => rule.samples.map(({ line }) => line));
const accessSamples = samples.filter((line) => accessStatus(line) !== NO_STATUS);

function namesFound(message: string): Set<string> {
  return new Set(
    router.all.find(message).map(({ filter, rule }) => `${filter.compiled.filter.name} ${rule.rule.name}`),
  );
}

function assertNoneIsMissed(message: string): void {
  const found = namesFound(message);
  for (const { compiled } of router.all.filters) {
    for (const { rule, reader } of compiled.rules) {
      const name = `${compiled.filter.name} ${rule.name}`;
      if (!found.has(name)) assert.equal(reader.read(message), null, `${name} matches ${message}`);
    }
  }
}

describe('the rules that a route finds', () => {
  it('hold every rule that matches one of its samples', () => {
    for (const { compiled } of router.all.filters) {
      for (const { rule, reader } of compiled.rules) {
        for (const { line } of rule.samples) {
          if (reader.read(line) === null) continue;
          assert.ok(namesFound(line).has(`${compiled.filter.name} ${rule.name}`), `${rule.name}: ${line}`);
        }
      }
    }
  });

  it('hold every rule that matches a line of an access log, whatever is in its fields', () => {
    assert.ok(accessSamples.length > 50);
    const words = samples.flatMap((line) => line.split(/(?<=[ "])/));
    const piece = fc.oneof(fc.constantFrom(...words), fc.constantFrom(...samples), fc.string());
    const line = fc
      .tuple(
        fc.constantFrom('', 'www.example.org:443 ', 'a '),
        fc.constantFrom('203.0.113.9', '2001:db8::9', '2026-11-20T10:00:00Z'),
        piece,
        piece,
        fc.constantFrom(200, 400, 401, 403, 404, 444, 499, 999),
        piece,
      )
      .map(
        ([host, client, user, request, status, rest]) =>
          `${host}${client} - ${user} [20/Nov/2026:10:00:00 +0000] "${request}" ${status} ${rest}`,
      );
    fc.assert(fc.property(line, assertNoneIsMissed), { numRuns: 300 });
  });

  it('are fewer for a line of an access log than for other messages', () => {
    const route = router.route('nginx');
    const accessLine =
      '203.0.113.9 - - [20/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 12 "-" "Mozilla/5.0 (X11)"';
    const found = route.find(accessLine);
    assert.ok(found.every(({ rule }) => rule.reader.statuses?.has(200) !== false));
    assert.ok(found.length < route.find('2026/11/20 10:00:00 [error] 1#1: *1 x').length);
  });
});
