import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { OperationalError } from '../../src/core/errors.ts';
import { openFile } from '../../src/sources/file.ts';
import { PATIENCE_MILLISECONDS, waitFor } from '../bed/waiting.ts';
import { temporaryDirectory } from './journal/journal-files.ts';

/** Some lines that do not pack to nothing. */
const TEXT = Array.from({ length: 20_000 }, (_, index) => `line ${(index * 7_919) % 99_991}\n`).join('');

const hasXz = spawnSync('xz', ['--version']).status === 0;
const XZ_MISSING = hasXz ? false : 'needs the program xz';

function packXz(text: string): Buffer {
  return spawnSync('xz', ['--compress', '--stdout'], { input: text, maxBuffer: 64 * 1024 * 1024 }).stdout;
}

/** Programs and streams that still run. */
function countWorkers(): number {
  return process.getActiveResourcesInfo().filter((name) => /Process|Zlib|Zstd|FSReq/.test(name)).length;
}

async function readAll(path: string): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of (await openFile(path)).chunks) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString();
}

const FORMS = [
  ['log', (text: string) => Buffer.from(text), false],
  ['gz', (text: string) => gzipSync(text), false],
  ['zst', (text: string) => zstdCompressSync(text), false],
  ['xz', packXz, XZ_MISSING],
] as const;

for (const [ending, pack, skip] of FORMS) {
  test(`a .${ending} file gives what was put into it, also twice over`, { skip }, async (t) => {
    const path = join(temporaryDirectory(t), `some.${ending}`);
    writeFileSync(path, pack(TEXT));
    assert.equal(await readAll(path), TEXT);
    writeFileSync(path, Buffer.concat([pack(TEXT), pack(TEXT)]));
    assert.equal(await readAll(path), TEXT + TEXT);
    writeFileSync(path, pack(''));
    assert.equal(await readAll(path), '');
  });

  test(`how far a .${ending} file is read can be told in bytes on the disk`, { skip }, async (t) => {
    const path = join(temporaryDirectory(t), `some.${ending}`);
    writeFileSync(path, pack(TEXT));
    const file = await openFile(path);
    assert.equal(file.totalBytes, readFileSync(path).length);
    for await (const _ of file.chunks);
    assert.equal(file.bytesRead(), file.totalBytes);
  });

  if (ending === 'log') continue;
  test(`a damaged .${ending} file gives what comes before the damage, then an error`, { skip }, async (t) => {
    const path = join(temporaryDirectory(t), `some.${ending}`);
    const packed = pack(TEXT.repeat(20));
    writeFileSync(path, packed.subarray(0, packed.length - 100));
    let length = 0;
    const reading = (async () => {
      for await (const chunk of (await openFile(path)).chunks) length += chunk.length;
    })();
    await assert.rejects(reading, (error) => {
      assert.ok(error instanceof OperationalError);
      assert.equal(error.code, 'damaged');
      assert.match(error.message, /^cannot unpack .*some\./);
      return true;
    });
    assert.ok(length > 0);
  });

  test(`whoever stops reading a .${ending} file leaves nothing running`, { skip }, async (t) => {
    const path = join(temporaryDirectory(t), `some.${ending}`);
    writeFileSync(path, pack(TEXT.repeat(20)));
    const before = countWorkers();
    for await (const _ of (await openFile(path)).chunks) break;
    await waitFor('the end of what unpacks', PATIENCE_MILLISECONDS, () =>
      countWorkers() === before ? true : null,
    );
  });
}

test('what cannot be opened is told in words, with what to do', async (t) => {
  const directory = temporaryDirectory(t);
  const expectations = [
    [join(directory, 'none.log'), 'ENOENT', /there is no such file$/],
    [directory, 'EISDIR', /is a directory$/],
    [join(directory, 'file', 'below'), 'ENOTDIR', /not a directory$/],
  ] as const;
  writeFileSync(join(directory, 'file'), '');
  for (const [path, code, message] of expectations) {
    await assert.rejects(openFile(path), (error) => {
      assert.ok(error instanceof OperationalError);
      assert.equal(error.code, code);
      assert.match(error.message, message);
      return true;
    });
  }
});

const isRoot = process.getuid?.() === 0;

test('a file that may not be read names sudo', { skip: isRoot && 'root may read everything' }, async (t) => {
  const path = join(temporaryDirectory(t), 'secret.log');
  writeFileSync(path, '');
  chmodSync(path, 0);
  await assert.rejects(openFile(path), { code: 'EACCES', advice: /sudo/ });
});

test('without the program xz the advice is to install it', async (t) => {
  const path = join(temporaryDirectory(t), 'some.xz');
  writeFileSync(path, 'x');
  const before = process.env.PATH;
  t.after(() => {
    process.env.PATH = before;
  });
  process.env.PATH = temporaryDirectory(t);
  await assert.rejects(readAll(path), { code: 'xz-missing', advice: /apt-get install xz-utils/ });
});
