import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { MetricsPlan } from '../../../src/config/plan.ts';
import { readMetricsAccess } from '../../../src/daemon/metrics/access.ts';
import { makeCertificate, missingOpenssl } from '../../http/certificate.ts';
import { makeDirectory } from '../../http/running-server.ts';

const PLAN: MetricsPlan = { listen: [], tokenFile: null, tls: null, fail2banNames: false };
const TOKEN = '0123456789abcdef';

test('without files everybody may read, over plain HTTP', () => {
  assert.deepEqual(readMetricsAccess(PLAN), { token: null, tls: null });
});

test('the token is what the file holds, without the line feed at its end', (t) => {
  const tokenFile = join(makeDirectory(t), 'token');
  writeFileSync(tokenFile, `${TOKEN}\n`);
  assert.equal(readMetricsAccess({ ...PLAN, tokenFile }).token, TOKEN);
});

for (const [what, content] of [
  ['an empty file', ''],
  ['a token that could be guessed', 'secret'],
  ['two lines', `${TOKEN}\n${TOKEN}\n`],
  ['what no header can hold', `${TOKEN}\u00e9`],
] as const) {
  test(`${what} is no token, and the reason names the file, not what is in it`, (t) => {
    const tokenFile = join(makeDirectory(t), 'token');
    writeFileSync(tokenFile, content);
    assert.throws(
      () => readMetricsAccess({ ...PLAN, tokenFile }),
      (error: Error) => {
        assert.ok(error.message.startsWith(`cannot use token_file ${tokenFile}: it holds no token of 16`));
        assert.ok(content === '' || !error.message.includes(content));
        return true;
      },
    );
  });
}

test('what is no plain file, is not there, or is too large, is not read', (t) => {
  const directory = makeDirectory(t);
  const large = join(directory, 'large');
  writeFileSync(large, 'a'.repeat(256 * 1024 + 1));
  const pipe = join(directory, 'pipe');
  assert.equal(spawnSync('mkfifo', [pipe]).status, 0);
  const refusals = [
    [join(directory, 'nothing'), /: ENOENT/],
    [directory, /: it is no plain file/],
    [pipe, /: it is no plain file/],
    [large, /: it is larger than/],
  ] as const;
  for (const [tokenFile, reason] of refusals) {
    assert.throws(() => readMetricsAccess({ ...PLAN, tokenFile }), reason);
  }
});

test('a certificate and its key are read, others are refused by name', {
  skip: missingOpenssl() ?? false,
}, (t) => {
  const directory = makeDirectory(t);
  const [one, other] = [makeCertificate(directory, 'one'), makeCertificate(directory, 'other')];
  const read = (certificate: string, key: string) =>
    readMetricsAccess({ ...PLAN, tls: { certificate, key } });
  const { tls } = read(one.certificatePath, one.keyPath);
  assert.deepEqual(tls, { certificate: one.certificate, key: one.key });
  assert.throws(
    () => read(one.certificatePath, other.keyPath),
    /cannot use key .*other\.key: it does not belong to the certificate in .*one\.crt$/,
  );
  assert.throws(() => read(one.keyPath, one.keyPath), /cannot use certificate .*one\.key: /);
  assert.throws(() => read(one.certificatePath, one.certificatePath), /cannot use key .*one\.crt: /);
});
