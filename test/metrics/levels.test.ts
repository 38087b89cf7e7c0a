import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { describe, it } from 'node:test';
import { readProcessLevels } from '../../src/metrics/levels.ts';

describe('the levels of the process', () => {
  it('are those of this process', () => {
    const before = readProcessLevels('1.2.3');
    const handle = openSync('/dev/null', 'r');
    const after = readProcessLevels('1.2.3');
    closeSync(handle);
    assert.equal(after.openFiles, (before.openFiles ?? 0) + 1);
    assert.ok(after.cpuSeconds > 0 && after.cpuSeconds >= before.cpuSeconds);
    assert.ok(Math.abs(after.startedAtSeconds + process.uptime() - Date.now() / 1e3) < 5);
    assert.ok(after.residentBytes > after.heapBytes && after.heapBytes > 1e6);
    assert.ok(after.maxFiles !== null && after.maxFiles > (after.openFiles ?? 0));
    assert.equal(`v${after.nodeVersion}`, process.version);
    assert.equal(after.version, '1.2.3');
  });
});
