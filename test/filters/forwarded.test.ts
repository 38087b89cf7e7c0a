/** Whose address counts when a service logs X-Forwarded-For, of which a client may have written all but the end. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { loadFilter } from '../../src/config/filters/filter-file.ts';
import { admitsMode, type RuleMode } from '../../src/core/failure.ts';
import { Matcher } from '../../src/match/matcher.ts';
import { compileFilter } from '../../src/match/rule.ts';
import { recordOf } from '../match/records.ts';

const filtersDirectory = new URL('../../etc/filters', import.meta.url).pathname;

const CLIENT = '203.0.113.9';
const VICTIM = '198.51.100.7';
const PROXY = '172.18.0.2';

type Service = { readonly filter: string; readonly line: (addresses: readonly string[]) => string };

/** How each writes a list that ends with the address nearest to it. */
const SERVICES: readonly Service[] = [
  {
    filter: 'guacamole',
    line: (addresses) =>
      `WARNING: Authentication attempt from [${addresses.join(', ')}] for user "x" failed.`,
  },
  {
    filter: 'harbor',
    line: (addresses) =>
      `[ERROR] [/server/basic_auth.go:72][client IP="${addresses.join(', ')}" requestID="1"]: failed to authenticate x`,
  },
  {
    filter: 'sabnzbd',
    line: (addresses) => {
      const forwarded = addresses.slice(0, -1).join(', ');
      return `WARNING::[interface:657] Failed login from ${addresses.at(-1)} (X-Forwarded-For: ${forwarded}) [x]`;
    },
  },
  {
    filter: 'sogo',
    line: (addresses) =>
      `SOGoRootPage Login from '${addresses.join(', ')}' for user 'x' might not have worked - grace: -1`,
  },
];

for (const { filter, line } of SERVICES) {
  describe(`X-Forwarded-For in a line of ${filter}`, () => {
    let matcher: Matcher;
    before(() => {
      const loaded = loadFilter(filter, { path: filtersDirectory, strict: true }, false);
      assert.deepEqual(loaded.problems, []);
      assert.ok(loaded.filter);
      matcher = new Matcher([compileFilter(loaded.filter)]);
    });

    function offendersOf(addresses: readonly string[], mode: RuleMode = 'normal'): string[] {
      const found: Parameters<Matcher['match']>[1] = [];
      matcher.match(recordOf({ message: line(addresses), identifier: filter }), found);
      return found.filter((match) => admitsMode(mode, match.mode)).map((match) => match.address);
    }

    it('names the client that a proxy on this host has seen', () => {
      assert.deepEqual(offendersOf([CLIENT, '127.0.0.1']), [CLIENT]);
      assert.deepEqual(offendersOf(['10.0.0.7', '::1']), ['10.0.0.7']);
      assert.deepEqual(offendersOf([VICTIM, CLIENT, '127.0.0.1']), [CLIENT]);
    });

    it('names the client when it has put others in front of itself', () => {
      assert.deepEqual(offendersOf([VICTIM, CLIENT]), [CLIENT]);
      assert.deepEqual(offendersOf([VICTIM, PROXY, CLIENT]), [CLIENT]);
    });

    it('names nobody whom a client from a private address may have written', () => {
      assert.deepEqual(offendersOf([VICTIM, PROXY]), []);
      assert.deepEqual(offendersOf([VICTIM, CLIENT, '::ffff:10.0.0.1']), []);
      assert.deepEqual(offendersOf([VICTIM, '10.0.0.7', '127.0.0.1']), []);
    });

    it('names the client of a proxy in a private network where the jail says that there is one', () => {
      assert.deepEqual(offendersOf([CLIENT, PROXY], 'extra'), [CLIENT]);
      assert.deepEqual(offendersOf(['10.0.0.7', PROXY], 'extra'), ['10.0.0.7']);
      assert.deepEqual(offendersOf([VICTIM, PROXY, CLIENT, '::ffff:10.0.0.1'], 'extra'), [CLIENT]);
      assert.deepEqual(offendersOf([VICTIM, '10.0.0.7', PROXY], 'extra'), []);
    });
  });
}
