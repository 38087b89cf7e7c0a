/** The process itself: how it starts, what keeps it from starting, and how it ends. In dry run, without a source. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { PATIENCE_MILLISECONDS, waitFor } from '../bed/waiting.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const CONFIGURATION = '[journal]\nenabled = false\n[metrics]\nlisten = []\n[jail.sshd]\n';

/** What the daemon says when a part has used up the time that it has for stopping. */
const DOES_NOT_STOP = /cannot stop/;

class Process {
  readonly child: ChildProcess;
  readonly #ended: Promise<unknown[]>;
  output = '';

  constructor(child: ChildProcess) {
    this.child = child;
    this.#ended = once(child, 'close');
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
      });
    }
  }

  /** Resolves to the exit status; to the signal's name when one has ended it. */
  async ended(): Promise<unknown> {
    const [status, signal] = await this.#ended;
    return status ?? signal;
  }

  printed(pattern: RegExp): Promise<RegExpExecArray> {
    return waitFor(`a line like ${pattern}, in:\n${this.output}`, PATIENCE_MILLISECONDS, () => {
      if (this.child.exitCode !== null) throw new Error(`it ended: ${this.output}`);
      return pattern.exec(this.output);
    });
  }

  async stop(): Promise<unknown> {
    this.child.kill('SIGTERM');
    return this.ended();
  }
}

type RunOptions = { readonly configuration?: string; readonly state?: string; readonly socket?: string };

function setUp(t: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'bailiff-daemon-'));
  const running: ChildProcess[] = [];
  t.after(async () => {
    for (const child of running) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGKILL');
      await once(child, 'close');
    }
    rmSync(directory, { recursive: true });
  });
  const configPath = join(directory, 'bailiff.toml');
  const run = ({ configuration = CONFIGURATION, state = 'state', socket = 'a.sock' }: RunOptions = {}) => {
    writeFileSync(configPath, configuration);
    const paths = ['--config', configPath, '--state-dir', join(directory, state)];
    const words = [MAIN, 'run', '--dry-run', ...paths, '--socket', join(directory, socket)];
    const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'pipe'] });
    running.push(child);
    return new Process(child);
  };
  return { directory, configPath, run, socketPath: join(directory, 'a.sock') };
}

function ping(socketPath: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, path: '/v1/ping' }, (answer) => {
      answer.resume().once('end', () => resolve(answer.statusCode ?? 0));
    });
    sent.once('error', reject);
    sent.end();
  });
}

test('it starts, answers, and ends at once and well when it is told to', async (t) => {
  const { run, socketPath } = setUp(t);
  const daemon = run();
  await daemon.printed(/ ready\n/);
  assert.equal(await ping(socketPath), 200);
  assert.equal(await daemon.stop(), 0, daemon.output);
  assert.doesNotMatch(daemon.output, DOES_NOT_STOP);
  assert.match(daemon.output, /stopping: SIGTERM; bans in the kernel stay/);
  assert.equal(existsSync(socketPath), false);
});

test('a signal that comes again while it ends changes nothing, as when npm hands Ctrl-C on', async (t) => {
  const { run } = setUp(t);
  const daemon = run();
  await daemon.printed(/ ready\n/);
  daemon.child.kill('SIGINT');
  await daemon.printed(/stopping: SIGINT/);
  const again = setInterval(() => daemon.child.kill('SIGINT'), 1);
  t.after(() => clearInterval(again));
  assert.equal(await daemon.ended(), 0, daemon.output);
});

test('a fault in the configuration of a first start ends it with 78, and every place is named', async (t) => {
  const { run, directory } = setUp(t);
  const daemon = run({ configuration: '[jail.sshd]\nmax_rety = 3\nban_time = "soon"\n' });
  assert.equal(await daemon.ended(), 78);
  assert.match(daemon.output, /bailiff\.toml:2:1: .*max_retry/);
  assert.match(daemon.output, /bailiff\.toml:3:\d+: /);
  assert.equal(existsSync(join(directory, 'state')), false);
});

test('a fault at a later start is told, and the configuration that was last in force is in force', async (t) => {
  const { run, socketPath } = setUp(t);
  const first = run();
  await first.printed(/ ready\n/);
  assert.equal(await first.stop(), 0);
  const second = run({ configuration: '[jail.sshd]\nmax_rety = 3\n' });
  await second.printed(/ ready\n/);
  await second.printed(/configuration +degraded|in force is the configuration of \d{4}-/);
  assert.match(second.output, /bailiff\.toml:2:1: .*max_rety/);
  assert.equal(await ping(socketPath), 200);
  assert.equal(await second.stop(), 0);
});

test('a second one on the same state ends with 1 and names who has it', async (t) => {
  const { run, socketPath } = setUp(t);
  const first = run();
  await first.printed(/ ready\n/);
  const second = run({ socket: 'b.sock' });
  assert.equal(await second.ended(), 1);
  assert.match(second.output, new RegExp(`process ${first.child.pid} has it open; stop the other bailiff`));
  assert.equal(await ping(socketPath), 200, 'the first is well');
});

test('a second one on the same socket ends with 1 before it touches anything', async (t) => {
  const { run, socketPath, directory } = setUp(t);
  const first = run();
  await first.printed(/ ready\n/);
  const second = run({ state: 'other' });
  assert.equal(await second.ended(), 1);
  assert.match(second.output, /another bailiff listens on .*a\.sock/);
  assert.equal(existsSync(join(directory, 'other')), false);
  assert.equal(await ping(socketPath), 200, 'the first is well');
});

test('a storm of reloads does not keep it from ending', async (t) => {
  const { run } = setUp(t);
  const daemon = run();
  await daemon.printed(/ ready\n/);
  for (let round = 0; round < 50; round++) daemon.child.kill('SIGHUP');
  await daemon.printed(/reloaded: 2 jails/);
  for (let round = 0; round < 50; round++) daemon.child.kill('SIGHUP');
  assert.equal(await daemon.stop(), 0, daemon.output);
  assert.doesNotMatch(daemon.output, DOES_NOT_STOP);
  const [, afterwards = ''] = daemon.output.split(/stopping: SIGTERM/);
  const finished = afterwards.match(/reloaded:/g)?.length ?? 0;
  assert.ok(finished <= 1, `${finished} reloads were done after it was told to end`);
});

test('a fault at a reload is told, and the old configuration stays', async (t) => {
  const { run, configPath, socketPath } = setUp(t);
  const daemon = run();
  await daemon.printed(/ ready\n/);
  writeFileSync(configPath, `${CONFIGURATION}max_rety = 3\n`);
  daemon.child.kill('SIGHUP');
  await daemon.printed(/reload refused, the old configuration stays: .*max_retry/);
  await daemon.printed(/what the files say now is not in force: .*configuration-not-in-force/);
  assert.equal(await ping(socketPath), 200);
  assert.equal(await daemon.stop(), 0);
});

test('it goes on when nobody reads its log any more', async (t) => {
  const { run, socketPath } = setUp(t);
  const daemon = run();
  await daemon.printed(/ ready\n/);
  daemon.child.stdout?.destroy();
  daemon.child.stderr?.destroy();
  daemon.child.kill('SIGHUP');
  await waitFor('an answer after the reload', PATIENCE_MILLISECONDS, async () =>
    (await ping(socketPath)) === 200 ? true : null,
  );
  assert.equal(await daemon.stop(), 0);
});
