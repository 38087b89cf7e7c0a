import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findInRuleset, findPrograms } from '../../../src/cli/doctor/bypass.ts';

const METAINFO = '{"metainfo": {"version": "1.0.6", "json_schema_version": 1}}';

test('a flow table is found, as libnftables-json(5) shows it', () => {
  const flowtable =
    '{"flowtable": {"family": "inet", "name": "fast", "table": "router", "handle": 2, "hook": "ingress", "prio": 0, "dev": ["lan0", "wan0"]}}';
  assert.deepEqual(
    findInRuleset(`{"nftables": [${METAINFO}, ${flowtable}]}`, '').map(({ code, subject }) => [
      code,
      subject,
    ]),
    [['flowtable-passes-by', 'inet router fast']],
  );
});

test('of the chains those at ingress of a device are found, as nft 1.0.6 lists them', () => {
  const chain = (hook: string, name: string) =>
    `{"chain": {"family": "netdev", "table": "n", "name": "${name}", "handle": 1, "type": "filter", "hook": "${hook}", "prio": 0, "policy": "accept"}}`;
  const chains = `{"nftables": [${METAINFO}, ${chain('ingress', 'c')}, ${chain('egress', 'd')}]}`;
  assert.deepEqual(
    findInRuleset('', chains).map(({ code, subject }) => [code, subject]),
    [['ingress-hook', 'netdev n c']],
  );
});

test('a device with an XDP program is found in what ip shows', () => {
  const links =
    '[{"ifindex":1,"ifname":"lo"},{"ifindex":2,"ifname":"eth0","xdp":{"mode":1,"prog":{"id":7}}}]';
  assert.deepEqual(
    findPrograms(links).map(({ code, subject }) => [code, subject]),
    [['xdp-passes-by', 'eth0']],
  );
});
