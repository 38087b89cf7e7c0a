import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { CheckReport } from '../../../../src/cli/commands/setup/check.ts';
import { makeDirectory } from '../../../http/running-server.ts';
import { assertGolden, run } from '../../fake-terminal.ts';

const SHIPPED = fileURLToPath(new URL('../../../../etc/bailiff.toml', import.meta.url));

test('the configuration that comes with the program is good', async () => {
  const { status, out, error } = await run(['check', '--config', SHIPPED]);
  assert.deepEqual([status, error], [0, '']);
  assert.match(out, /bailiff\.toml: good\njails: sshd, manual\n\d+ filters? with [\d,]+ samples$/);
});

test('every mistake is shown with its place, and the status is 4', async (t) => {
  const directory = makeDirectory(t);
  const configPath = join(directory, 'bailiff.toml');
  writeFileSync(configPath, 'trsut = ["192.0.2.1"]\n\n[jail.sshd]\nban_time = "soon"\n');
  const { status, out, error } = await run(['check', '--config', configPath]);
  assert.deepEqual([status, out], [4, '']);
  assertGolden('check-problems', error.replaceAll(`${directory}/`, ''));
});

test('a drop-in is read too, and named among the files', async (t) => {
  const directory = makeDirectory(t);
  const configPath = join(directory, 'bailiff.toml');
  mkdirSync(join(directory, 'conf.d'));
  writeFileSync(configPath, '');
  writeFileSync(join(directory, 'conf.d', 'sshd.toml'), '[jail.sshd]\nenabled = true\nfilters = ["sshd"]\n');
  const { status, out } = await run(['check', '--config', configPath]);
  assert.equal(status, 0);
  assert.match(out, /and 1 more file: good\njails: sshd, manual\n/);
  const json = JSON.parse((await run(['check', '--json', '--config', configPath])).out) as CheckReport;
  assert.deepEqual(json.files, [configPath, join(directory, 'conf.d', 'sshd.toml')]);
  assert.deepEqual(json.jails, ['sshd', 'manual']);
  assert.ok(json.good && json.samples > 0);
});

test('--json has the places as numbers', async (t) => {
  const configPath = join(makeDirectory(t), 'bailiff.toml');
  writeFileSync(configPath, 'a = [');
  const { status, out } = await run(['check', '--json', '--config', configPath]);
  assert.equal(status, 4);
  const report = JSON.parse(out) as CheckReport;
  assert.equal(report.good, false);
  assert.equal(report.problems[0]?.file, configPath);
  assert.equal(report.problems[0]?.line, 1);
});

test('the file is that of --config, else of BAILIFF_CONFIG', async (t) => {
  const missing = join(makeDirectory(t), 'none.toml');
  const environment = { BAILIFF_CONFIG: missing };
  const { status, error } = await run(['check'], { environment });
  assert.equal(status, 4);
  assert.ok(error.includes(missing), error);
  assert.equal((await run(['check', '--config', SHIPPED], { environment })).status, 0);
});

test('the files that [metrics] names are tried, all of them, unless no metrics are served', async (t) => {
  const directory = makeDirectory(t);
  const configPath = join(directory, 'bailiff.toml');
  const configure = (listen: string) =>
    writeFileSync(
      configPath,
      `[metrics]\nlisten = ${listen}\ntoken_file = "${directory}/token"\ncertificate = "${directory}/a.crt"\nkey = "${directory}/a.key"\n`,
    );
  writeFileSync(join(directory, 'token'), 'short\u001b[2J');
  configure('["127.0.0.1:0"]');
  const { status, out, error } = await run(['check', '--config', configPath]);
  assert.deepEqual([status, out], [4, '']);
  const lines = error.replaceAll(`${directory}/`, '').split('\n');
  assert.match(
    lines[0] ?? '',
    /^bailiff\.toml: cannot use token_file token: it holds no token of 16 or more/,
  );
  assert.match(lines[1] ?? '', /^bailiff\.toml: cannot use certificate a\.crt: ENOENT/);
  assert.match(lines.at(-1) ?? '', /2 problems in bailiff\.toml$/);
  const report = JSON.parse((await run(['check', '--json', '--config', configPath])).out) as CheckReport;
  assert.deepEqual([report.good, report.problems.length], [false, 2]);
  configure('[]');
  assert.equal((await run(['check', '--config', configPath])).status, 0);
});

test('a token file that holds one is good', async (t) => {
  const directory = makeDirectory(t);
  const configPath = join(directory, 'bailiff.toml');
  writeFileSync(join(directory, 'token'), `${'0123456789abcdef'.repeat(4)}\n`);
  writeFileSync(configPath, `[metrics]\ntoken_file = "${directory}/token"\n`);
  assert.equal((await run(['check', '--config', configPath])).status, 0);
});

test('nothing in a file can drive the terminal', async (t) => {
  const configPath = join(makeDirectory(t), 'bailiff.toml');
  writeFileSync(configPath, '"\\u001b[2J\u202e\x9b" = "\\u009b1m"\n[jail."\\n\\u001b"]\n');
  for (const words of [['check'], ['check', '--json']]) {
    const { status, out, error } = await run([...words, '--config', configPath]);
    assert.equal(status, 4);
    assert.doesNotMatch((out + error).replaceAll('\n', ''), /\p{C}/u);
  }
});
