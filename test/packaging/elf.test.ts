import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { stripElf } from '../../packaging/elf.ts';

test('Node without its symbols is a fifth smaller and runs', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'bailiff-elf-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const whole = readFileSync(process.execPath);
  const stripped = stripElf(whole);
  assert.ok(stripped.length < whole.length * 0.8, `${whole.length} bytes became ${stripped.length}`);
  const file = join(directory, 'node');
  writeFileSync(file, stripped, { mode: 0o755 });
  const { stdout } = spawnSync(file, ['--print', '6 * 7'], { encoding: 'utf8' });
  assert.equal(stdout, '42\n');
});

test('stripping a stripped file changes nothing', () => {
  const stripped = stripElf(readFileSync(process.execPath));
  assert.ok(stripElf(stripped).equals(stripped));
});

test('what is no 64-bit little-endian ELF file is refused', () => {
  assert.throws(() => stripElf(Buffer.from('#!/bin/sh\n')), /not an ELF file/);
  assert.throws(() => stripElf(Buffer.from('\x7fELF\x01\x01\x01', 'latin1')), /not a 64-bit/);
});
