/** Whoever builds the packages gets the same bytes: that is how one sees what they were made from. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { clientDebFile, clientRpmFile, debFile, HOST, missingPackages, ROOT, rpmFile, run } from './built.ts';

const FILES = [debFile(), rpmFile(), clientDebFile(), clientRpmFile()];
const skip = missingPackages(...FILES) ?? false;

test('building the packages again gives the same bytes', { skip }, (t) => {
  const output = mkdtempSync(join(tmpdir(), 'bailiff-again-'));
  t.after(() => rmSync(output, { recursive: true }));
  run([process.execPath, join(ROOT, 'packaging/build.ts'), '--arch', HOST.deb, '--output', output]);
  assert.deepEqual(readdirSync(output).sort(), FILES.map((file) => basename(file)).sort());
  for (const file of FILES) assert.equal(digest(join(output, basename(file))), digest(file), basename(file));
});

function digest(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}
