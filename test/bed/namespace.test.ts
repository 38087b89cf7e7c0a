import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ATTACKERS_IPV4, ATTACKERS_IPV6, DEVICES_IPV4, DEVICES_IPV6, HOST, openBed } from './namespace.ts';
import { tryConnect } from './reachability.ts';
import { requirements } from './requirements.ts';
import { PATIENCE_MILLISECONDS, waitFor } from './waiting.ts';

const skip = requirements('namespaces') ?? false;
const NAMESPACE = fileURLToPath(new URL('namespace.ts', import.meta.url));

test('a bed has a network of its own, in which nothing of the machine is seen', { skip }, async () => {
  await using bed = await openBed();
  const { stdout } = await bed.run(['ip', '-oneline', 'address']);
  const links = new Set(
    stdout
      .trim()
      .split('\n')
      .map((line) => /^\d+: (\w+)/.exec(line)?.[1]),
  );
  assert.deepEqual(links, new Set(['lo', 'wire0']));
  const { stdout: namespace } = await bed.run(['readlink', '/proc/self/ns/net']);
  assert.notEqual(namespace.trim(), readlinkSync('/proc/self/ns/net'));
});

test('every attacker and device of both families reaches the bed, and is refused where nothing listens', {
  skip,
}, async () => {
  await using bed = await openBed();
  const pairs = [
    ...ATTACKERS_IPV4.map((from) => [from, HOST.ipv4] as const),
    [ATTACKERS_IPV6[0] ?? '', HOST.ipv6] as const,
    [ATTACKERS_IPV6.at(-1) ?? '', HOST.ipv6] as const,
    [DEVICES_IPV4[0] ?? '', HOST.deviceIpv4] as const,
    [DEVICES_IPV6[0] ?? '', HOST.deviceIpv6] as const,
  ];
  for (const [from, to] of pairs) {
    assert.equal(await tryConnect(bed, { from, to, port: 9 }), 'refused', `${from} to ${to}`);
  }
});

test('further attackers can be added', { skip }, async () => {
  await using bed = await openBed();
  await bed.addAttackers(['198.19.7.7/15', '2001:db8:77:ffff::7/48']);
  assert.equal(await tryConnect(bed, { from: '198.19.7.7', to: HOST.ipv4, port: 9 }), 'refused');
  assert.equal(await tryConnect(bed, { from: '2001:db8:77:ffff::7', to: HOST.ipv6, port: 9 }), 'refused');
});

test('run gives input, output and status, and rejects with the output when a command fails', {
  skip,
}, async () => {
  await using bed = await openBed();
  assert.equal((await bed.run(['cat'], { input: 'über' })).stdout, 'über');
  const failed = await bed.run(['sh', '-c', 'echo no >&2; exit 3'], { anyStatus: true });
  assert.deepEqual(failed, { status: 3, stdout: '', stderr: 'no\n' });
  await assert.rejects(bed.run(['sh', '-c', 'echo no >&2; exit 3']), /exit status 3\nno/);
  assert.equal((await bed.run(['/no/such/command'], { anyStatus: true })).status, 127);
  assert.equal((await bed.run(['sh', '-c', 'kill -9 $$'], { anyStatus: true })).status, 137);
});

test('a command that takes too long is killed, and says so', { skip }, async () => {
  await using bed = await openBed();
  await assert.rejects(bed.run(['sleep', '60'], { timeoutMilliseconds: 50 }), /not done in 50 ms/);
  await waitFor('the end of sleep', PATIENCE_MILLISECONDS, async () => {
    const { stdout } = await bed.run(['sh', '-c', 'cat /proc/[0-9]*/comm']);
    return stdout.includes('sleep') ? null : true;
  });
});

test('a started program has the process id that the machine knows it by', { skip }, async () => {
  await using bed = await openBed();
  const running = await bed.start(['sleep', '60']);
  await waitFor('the program to replace the shell', PATIENCE_MILLISECONDS, () =>
    readFileSync(`/proc/${running.pid}/comm`, 'utf8') === 'sleep\n' ? true : null,
  );
  running.kill('SIGKILL');
  assert.equal((await running.ended).status, 137);
});

test('waiting for a line resolves to it, and rejects with the output when the program ends without it', {
  skip,
}, async () => {
  await using bed = await openBed();
  const running = await bed.start(['sh', '-c', 'echo one; read answer; echo "two $answer" >&2']);
  assert.equal(await running.waitForLine(/one/, PATIENCE_MILLISECONDS), 'one');
  running.write('yes\n');
  assert.equal(await running.waitForLine(/two/, PATIENCE_MILLISECONDS), 'two yes');
  await assert.rejects(
    running.waitForLine(/three/, PATIENCE_MILLISECONDS),
    /ended without a line like \/three\/.*\none\ntwo yes/s,
  );
});

test('only a small environment is handed on', { skip }, async () => {
  process.env.BED_TEST_SECRET = 'seen';
  await using bed = await openBed();
  const { stdout } = await bed.run(['env'], { environment: { EXTRA: '1' } });
  delete process.env.BED_TEST_SECRET;
  assert.match(stdout, /^EXTRA=1$/m);
  assert.doesNotMatch(stdout, /BED_TEST_SECRET|NODE_TEST_CONTEXT/);
});

test('closing ends every process and removes the directory, and can be repeated', { skip }, async () => {
  const bed = await openBed();
  const running = await bed.start(['sleep', '60']);
  await bed.close();
  await bed.close();
  assert.equal(existsSync(bed.directory), false);
  assert.equal(existsSync(`/proc/${running.pid}`), false);
  await assert.rejects(bed.run(['true']), /the bed is closed/);
});

test('a bed goes when the process that opened it is killed', { skip }, async () => {
  const program = `
    const { openBed } = await import(${JSON.stringify(NAMESPACE)});
    const bed = await openBed();
    const running = await bed.start(['sleep', '60']);
    console.log(JSON.stringify([bed.directory, running.pid]));
    setInterval(() => {}, 1000);`;
  const owner = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const line = await new Promise<string>((resolve) =>
    createInterface({ input: owner.stdout }).once('line', resolve),
  );
  const [directory, pid] = JSON.parse(line) as [string, number];
  assert.ok(existsSync(directory) && existsSync(`/proc/${pid}`));
  owner.kill('SIGKILL');
  await waitFor('the bed to go', PATIENCE_MILLISECONDS, () =>
    existsSync(directory) || existsSync(`/proc/${pid}`) ? null : true,
  );
});

test('two beds at once do not meet', { skip }, async () => {
  await using first = await openBed();
  await using second = await openBed();
  await first.run(['ip', 'link', 'add', 'only-first', 'type', 'veth', 'peer', 'name', 'its-peer']);
  const { stdout } = await second.run(['ip', '-oneline', 'link']);
  assert.doesNotMatch(stdout, /only-first/);
});

test('a process can be another user, and in a unit', {
  skip: requirements('namespaces', 'units') ?? false,
}, async () => {
  await using bed = await openBed();
  assert.equal((await bed.run(['id', '-u'], { uid: 65534 })).stdout, '65534\n');
  const { stdout } = await bed.run(['cat', '/proc/self/cgroup'], { unit: 'ssh.service' });
  assert.match(stdout, /\/system\.slice\/ssh\.service$/m);
});
