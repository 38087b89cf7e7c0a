import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isProgramReplaced } from '../../src/daemon/own-program.ts';

const MODULE = new URL('../../src/daemon/own-program.ts', import.meta.url).href;

test('a program whose file is as it was has not been replaced; where nobody can tell it has not either', () => {
  assert.equal(isProgramReplaced(), false);
  const unreadable = () => {
    throw new Error('no /proc');
  };
  assert.equal(isProgramReplaced(unreadable), false);
});

test('one whose file another has taken the place of, as dpkg does it, has', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'bailiff-replaced-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const program = join(directory, 'node');
  copyFileSync(process.execPath, program);
  const script = `
    import { copyFileSync, renameSync } from 'node:fs';
    import { isProgramReplaced } from ${JSON.stringify(MODULE)};
    const before = isProgramReplaced();
    copyFileSync(${JSON.stringify(process.execPath)}, process.execPath + '.dpkg-new');
    renameSync(process.execPath + '.dpkg-new', process.execPath);
    console.log(before, isProgramReplaced());`;
  const { stdout, stderr } = spawnSync(program, ['--input-type=module', '--eval', script], {
    encoding: 'utf8',
  });
  assert.equal(stdout.trim(), 'false true', stderr);
});
