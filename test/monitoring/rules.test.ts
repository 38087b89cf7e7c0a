import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { CATALOGUE, LABEL_OVERFLOWS, UNUSABLE_VALUES } from '../../src/metrics/catalogue.ts';
import { etcPath, metricsIn } from './boards.ts';
import { GUIDE } from './guide.ts';

const known = new Set([...CATALOGUE, LABEL_OVERFLOWS, UNUSABLE_VALUES].map(({ name }) => name));
const alertsText = read('rules/alerts.yml');
const alerts = [...alertsText.matchAll(/^ +- alert: (\w+)$/gm)].map(([, name = '']) => name);
const skip = promtool('--version').status === 0 ? false : 'needs promtool: apt-get install prometheus';

describe('what Prometheus is given', () => {
  test('is correct in the eyes of promtool', { skip }, () => {
    const config = promtool('check', 'config', etcPath('prometheus/prometheus.yml'));
    assert.equal(config.status, 0, config.output);
    const rules = promtool('check', 'rules', '--lint=all', '--lint-fatal', ...files('rules', '.yml'));
    assert.equal(rules.status, 0, rules.output);
  });

  test('passes its own tests', { skip }, () => {
    const { status, output } = promtool('test', 'rules', ...files('tests', '.test.yml'));
    assert.equal(status, 0, output);
  });

  test('has for every alert a test in which it is silent first and fires then', () => {
    const tests = read('tests/alerts.test.yml')
      .split(/^ {2}- name: /m)
      .slice(1);
    assert.deepEqual(
      tests.map((text) => text.split('\n')[0]),
      alerts,
    );
    for (const [index, alert] of alerts.entries()) {
      const expected = [...(tests[index] ?? '').matchAll(/alertname: (\w+)\n +exp_alerts:(.*)$/gm)];
      assert.deepEqual(
        expected.map(([, name, list]) => [name, list?.trim()]),
        [
          [alert, '[]'],
          [alert, ''],
        ],
      );
    }
  });

  test('has for every alert a section of the runbook, which it names', () => {
    assert.ok(alerts.length > 8);
    const headings = [...readFileSync(GUIDE, 'utf8').matchAll(/^### (Bailiff\w+)$/gm)].map(
      ([, name]) => name,
    );
    assert.deepEqual(headings, alerts);
    const runbooks = [...alertsText.matchAll(/^ +runbook: (.*)$/gm)].map(([, link]) => link);
    assert.deepEqual(
      runbooks,
      alerts.map((alert) => `docs/monitoring.md#${alert.toLowerCase()}`),
    );
  });

  test('asks for nothing that is not in the catalogue', () => {
    for (const file of ['rules/alerts.yml', 'rules/recording.yml'])
      for (const metric of metricsIn(read(file))) assert.ok(known.has(metric), `${metric} in ${file}`);
  });
});

function read(name: string): string {
  return readFileSync(etcPath(`prometheus/${name}`), 'utf8');
}

function files(directory: string, ending: string): string[] {
  const path = etcPath(`prometheus/${directory}`);
  return readdirSync(path)
    .filter((name) => name.endsWith(ending))
    .map((name) => `${path}/${name}`);
}

function promtool(...words: readonly string[]): { readonly status: number | null; readonly output: string } {
  const { status, stdout, stderr } = spawnSync('promtool', words, { encoding: 'utf8' });
  return { status, output: `${stdout}${stderr}` };
}
