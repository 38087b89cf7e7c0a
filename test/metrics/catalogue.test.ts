import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { STANDARD_BAN_SETS } from '../../src/firewall/layout.ts';
import {
  CATALOGUE,
  KINDS_WITHOUT_METRIC,
  LABEL_OVERFLOWS,
  UNUSABLE_VALUES,
} from '../../src/metrics/catalogue.ts';
import { FAIL2BAN_METRICS } from '../../src/metrics/fail2ban-metrics.ts';
import { formatCatalogue } from './catalogue-table.ts';
import { STORY_EVENTS } from './story.ts';

const ENTRIES = [...CATALOGUE, ...FAIL2BAN_METRICS, LABEL_OVERFLOWS, UNUSABLE_VALUES];

describe('the catalogue', () => {
  it('has every kind of event, or says why not, and never both', () => {
    const driving = new Set(CATALOGUE.flatMap((entry) => entry.events ?? []).map(({ kind }) => kind));
    for (const { kind } of STORY_EVENTS) {
      const reason = KINDS_WITHOUT_METRIC[kind] ?? '';
      assert.notEqual(driving.has(kind), reason !== '', `event ${kind}`);
    }
  });

  it('names each metric once', () => {
    assert.equal(new Set(ENTRIES.map(({ name }) => name)).size, ENTRIES.length);
  });

  it('has one kind of driver for each metric', () => {
    for (const { name, events, ledger, senders, warnings, process } of CATALOGUE) {
      const drivers = [events, ledger, senders, warnings, process].filter((driver) => driver !== undefined);
      assert.equal(drivers.length, 1, name);
    }
  });

  it('follows the conventions for names, help and buckets', () => {
    for (const { name, type, help, labels, buckets } of ENTRIES) {
      assert.match(name, /^(bailiff|process|nodejs|f2b)_[a-z_]+[a-z]$/);
      assert.equal(name.endsWith('_total'), type === 'counter', name);
      assert.doesNotMatch(name, /milli|micro|minutes|kilo|mega/);
      assert.match(help, /^[A-Z].*\.$/, name);
      assert.ok(labels.length <= 2, `${name} has more labels than its series can have`);
      assert.equal(buckets !== undefined, type === 'histogram', name);
      assert.deepEqual(
        [...(buckets ?? [])].sort((a, b) => a - b),
        buckets ?? [],
      );
    }
  });

  it('gives as many label values as there are labels to the series that begin at zero', () => {
    const jails = [{ jail: 'sshd', filters: ['sshd', 'dropbear'] }];
    for (const { name, labels, zeros, senderZeros } of ENTRIES) {
      const series = [...(zeros?.(jails) ?? []), ...(senderZeros?.(['nas1']) ?? [])];
      for (const values of series) assert.equal(values.length, labels.length, name);
    }
  });

  it('begins the sets that every table has at zero', () => {
    const dropped = CATALOGUE.find(({ name }) => name === 'bailiff_dropped_packets_total');
    const names = STANDARD_BAN_SETS.map(({ name }) => [name]);
    assert.deepEqual(dropped?.zeros?.([]), names);
  });

  it('is what docs/metrics.md shows (UPDATE_GOLDEN=1 writes it)', () => {
    const file = new URL('../../docs/metrics.md', import.meta.url);
    if (process.env.UPDATE_GOLDEN !== undefined) writeFileSync(file, formatCatalogue());
    assert.equal(readFileSync(file, 'utf8'), formatCatalogue());
  });
});
