import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { SECOND } from '../../src/core/time.ts';
import { STANDARD_BAN_SETS } from '../../src/firewall/layout.ts';
import { KINDS_WITHOUT_METRIC } from '../../src/metrics/catalogue.ts';
import { createMetrics, type Metrics } from '../../src/metrics/metrics.ts';
import { MAX_LABEL_VALUES } from '../../src/metrics/series.ts';
import { ATTACKER, LEDGER_LEVELS, PROCESS_LEVELS, SENDER_LEVELS, STORY, STORY_EVENTS } from './story.ts';

function newMetrics(): Metrics {
  return createMetrics({ version: '1.2.3', readProcess: () => PROCESS_LEVELS });
}

/** The page after the story. */
async function storyPage(withFail2banNames = false): Promise<string> {
  const metrics = newMetrics();
  metrics.showFail2banNames(withFail2banNames);
  metrics.declareJails([
    { jail: 'sshd', filters: ['sshd', 'dropbear'] },
    { jail: 'nginx', filters: ['nginx'] },
  ]);
  metrics.declareSenders(['nas1', 'router']);
  metrics.readLedgerFrom(() => LEDGER_LEVELS);
  metrics.readSendersFrom(() => SENDER_LEVELS);
  for (const event of STORY_EVENTS) metrics.observe(event);
  return metrics.render();
}

/** The value of a series, spelled as on the page; null when it is not there. */
async function seriesValue(metrics: Metrics, series: string): Promise<number | null> {
  const line = (await metrics.render()).split('\n').find((each) => each.startsWith(`${series} `));
  return line === undefined ? null : Number(line.slice(series.length + 1));
}

describe('the page', () => {
  it('after one event of every kind is test/golden/metrics.txt (UPDATE_GOLDEN=1 writes it)', async () => {
    const file = new URL('../golden/metrics.txt', import.meta.url);
    const page = await storyPage();
    if (process.env.UPDATE_GOLDEN !== undefined) writeFileSync(file, page);
    assert.equal(page, readFileSync(file, 'utf8'));
  });

  it('holds no address, user, message or detail of any event', async () => {
    const page = await storyPage();
    assert.doesNotMatch(page, /evil|forged|\u001b|127\.0\.0\.1|2001:db8/);
    assert.ok(!page.includes(ATTACKER));
  });

  it('changes with every event that drives a metric', async () => {
    for (const event of STORY_EVENTS) {
      const metrics = newMetrics();
      metrics.observe(STORY.ready);
      const before = await metrics.render();
      if (event.kind === 'ready') continue;
      metrics.observe(event);
      const isWithout = event.kind in KINDS_WITHOUT_METRIC;
      assert.equal((await metrics.render()) === before, isWithout, event.kind);
    }
  });

  it('ends with the names of fail2ban when they are asked for: metrics-fail2ban.txt', async () => {
    const file = new URL('../golden/metrics-fail2ban.txt', import.meta.url);
    const [plain, page] = [await storyPage(), await storyPage(true)];
    assert.ok(page.startsWith(plain));
    const added = page.slice(plain.length + 1);
    if (process.env.UPDATE_GOLDEN !== undefined) writeFileSync(file, added);
    assert.equal(added, readFileSync(file, 'utf8'));
    assert.match(page, /^bailiff_unusable_values_total 0$/m);
  });

  it('is clean in the eyes of promtool', async (t) => {
    const page = await storyPage(true);
    const { status, stdout, stderr, error } = spawnSync(
      process.env.PROMTOOL ?? 'promtool',
      ['check', 'metrics'],
      {
        input: page,
        encoding: 'utf8',
      },
    );
    if (error !== undefined)
      return t.skip(`promtool is not installed (package prometheus): ${error.message}`);
    assert.deepEqual([status, stdout + stderr], [0, '']);
  });

  it('is of the type that it says', async () => {
    assert.equal(newMetrics().contentType, 'text/plain; version=0.0.4; charset=utf-8');
  });

  it('is the same for two that ask at once', async () => {
    const metrics = newMetrics();
    metrics.readLedgerFrom(() => LEDGER_LEVELS);
    const pages = await Promise.all([metrics.render(), metrics.render(), metrics.render()]);
    assert.deepEqual(new Set(pages).size, 1);
  });
});

describe('metrics', () => {
  it('begin at zero for a jail that is declared, and keep their counts when it is declared again', async () => {
    const metrics = newMetrics();
    const series = 'bailiff_failures_total{jail="sshd",filter="sshd"}';
    assert.equal(await seriesValue(metrics, series), null);
    metrics.declareJails([{ jail: 'sshd', filters: ['sshd'] }]);
    assert.equal(await seriesValue(metrics, series), 0);
    metrics.observe(STORY.failure);
    metrics.declareJails([{ jail: 'sshd', filters: ['sshd'] }]);
    assert.equal(await seriesValue(metrics, series), 1);
  });

  it('take levels anew for each page, so that a jail that is gone disappears', async () => {
    const metrics = newMetrics();
    let levels = LEDGER_LEVELS;
    metrics.readLedgerFrom(() => levels);
    assert.equal(await seriesValue(metrics, 'bailiff_active_bans{jail="sshd",family="ipv6"}'), 1);
    assert.equal(await seriesValue(metrics, 'bailiff_active_bans{jail="sshd",family="ipv6"}'), 1);
    levels = { jails: [], bans: [] };
    assert.equal(await seriesValue(metrics, 'bailiff_active_bans{jail="sshd",family="ipv6"}'), null);
    assert.equal(await seriesValue(metrics, 'bailiff_jails'), 0);
  });

  it('count a surge in full', async () => {
    const metrics = newMetrics();
    for (let number = 0; number < 100_000; number++) metrics.observe(STORY.failure);
    assert.equal(await seriesValue(metrics, 'bailiff_failures_total{jail="sshd",filter="sshd"}'), 100_000);
  });

  it('stay bounded when names do not', async () => {
    const metrics = newMetrics();
    for (let number = 0; number < 10_000; number++)
      metrics.observe({ ...STORY.dropped, set: `set-${number}` });
    const other = 10_000 - (MAX_LABEL_VALUES - STANDARD_BAN_SETS.length);
    assert.equal(await seriesValue(metrics, 'bailiff_dropped_packets_total{set="other"}'), other * 12);
    assert.equal(await seriesValue(metrics, 'bailiff_label_overflows_total{label="set"}'), 2 * other);
    const lines = (await metrics.render()).split('\n');
    assert.equal(
      lines.filter((line) => line.startsWith('bailiff_dropped_packets_total{')).length,
      MAX_LABEL_VALUES + 1,
    );
  });

  it('put a ban into the bucket of its time to the kernel, also when the clock was set back', async () => {
    const metrics = newMetrics();
    for (const arrivalToKernel of [400, 3_500, 11 * SECOND, -5 * SECOND]) {
      metrics.observe({ ...STORY.enforced, arrivalToKernel });
    }
    const bucket = (bound: string) =>
      seriesValue(metrics, `bailiff_arrival_to_kernel_seconds_bucket{le="${bound}"}`);
    assert.deepEqual(
      await Promise.all(['0.0005', '0.002', '0.005', '10', '+Inf'].map(bucket)),
      [2, 2, 3, 3, 4],
    );
  });

  it('forget the end of a certificate that is used no longer', async () => {
    const metrics = newMetrics();
    const series = 'bailiff_certificate_expiry_timestamp_seconds';
    metrics.observe({ kind: 'certificate', certificate: 'syslog-server', until: 5_000_000 });
    metrics.observe({ kind: 'certificate', certificate: 'metrics', until: 6_000_000 });
    metrics.observe({ kind: 'certificate', certificate: 'syslog-server', until: null });
    const lines = (await metrics.render()).split('\n').filter((line) => line.startsWith(series));
    assert.deepEqual(lines, [`${series}{certificate="metrics"} 6`]);
  });

  it('survive an event with a value that is none, and say so', async () => {
    const metrics = newMetrics();
    for (const count of [Number.NaN, -1, Number.POSITIVE_INFINITY]) {
      metrics.observe({ ...STORY.records, count });
      metrics.observe({ ...STORY.enforced, arrivalToKernel: Number.NaN });
    }
    assert.equal(await seriesValue(metrics, 'bailiff_records_total{source="udp"}'), 0);
    assert.equal(await seriesValue(metrics, 'bailiff_arrival_to_kernel_seconds_count'), 0);
    assert.equal(await seriesValue(metrics, 'bailiff_unusable_values_total'), 6);
  });

  it('tell the present health of a part', async () => {
    const metrics = newMetrics();
    metrics.observe({ ...STORY.component, health: 'down' });
    metrics.observe({ ...STORY.component, health: 'up' });
    assert.equal(await seriesValue(metrics, 'bailiff_component_up{component="firewall"}'), 1);
    assert.equal(
      await seriesValue(metrics, 'bailiff_component_health{component="firewall",health="down"}'),
      0,
    );
    assert.equal(await seriesValue(metrics, 'bailiff_component_health{component="firewall",health="up"}'), 1);
  });
});

describe('the metrics of senders', () => {
  it('begin at zero for those that are configured, and for all others together', async () => {
    const metrics = newMetrics();
    metrics.declareSenders(['nas1']);
    for (const sender of ['nas1', 'other'])
      assert.equal(await seriesValue(metrics, `bailiff_sender_records_total{sender="${sender}"}`), 0);
  });

  it('have no series for an address, however many send', async () => {
    const metrics = newMetrics();
    for (let number = 0; number < 10_000; number++) {
      const sender = `10.0.${number >> 8}.${number & 255}`;
      metrics.observe({ ...STORY['sender-activity'], sender, name: '' });
      metrics.observe({ ...STORY['sender-change'], sender, name: '' });
    }
    assert.equal(await seriesValue(metrics, 'bailiff_sender_records_total{sender="other"}'), 30_000);
    assert.ok(!(await metrics.render()).includes('10.0.'));
  });

  it('forget the silence of a sender that is no longer configured', async () => {
    const metrics = newMetrics();
    let levels = SENDER_LEVELS;
    metrics.readSendersFrom(() => levels);
    assert.equal(await seriesValue(metrics, 'bailiff_sender_silent{sender="router"}'), 1);
    assert.equal(await seriesValue(metrics, 'bailiff_sender_clock_skew_seconds{sender="nas1"}'), -1.5);
    levels = [];
    assert.equal(await seriesValue(metrics, 'bailiff_sender_silent{sender="router"}'), null);
  });
});
