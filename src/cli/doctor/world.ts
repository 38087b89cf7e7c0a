/** What the checks look at, on this host. */
import { spawn } from 'node:child_process';
import { formatProblemLine } from '../../config/document/problem.ts';
import { loadConfig } from '../../config/load.ts';
import { OperationalError } from '../../core/errors.ts';
import type { StatusReport } from '../../http/control.ts';
import type { SendersReport } from '../../senders/report.ts';
import { askDaemon, pathOf } from '../client.ts';
import { type ConfigOptions, configPathOf, type SocketOptions } from '../command.ts';
import type { Terminal } from '../render/terminal.ts';
import type { DoctorWorld, Ran } from './check.ts';

const RUN_MILLISECONDS = 5_000;

/** Where programs of the administrator are, which a PATH of an ordinary user lacks. */
const MORE_PATH = '/usr/local/sbin:/usr/sbin:/sbin';

/** Output beyond this is cut. */
const MAX_OUTPUT = 1_048_576;

export async function lookAround(
  options: SocketOptions & ConfigOptions,
  terminal: Terminal,
): Promise<DoctorWorld> {
  const ask = async <Report>(path: string): Promise<Report | null> => {
    try {
      return await askDaemon<Report>(options, terminal, { method: 'GET', path: pathOf([path]) });
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      return null;
    }
  };
  const { plan, problems } = loadConfig({
    configPath: configPathOf(options, terminal),
    uid: terminal.userId,
    env: terminal.environment,
    filtersInUseOnly: true,
  });
  return {
    status: await ask<StatusReport>('status'),
    senders: await ask<SendersReport>('senders'),
    plan,
    faults: problems.map(formatProblemLine),
    isRoot: terminal.userId === 0,
    run: (words, milliseconds = RUN_MILLISECONDS) => runProgram(words, milliseconds),
  };
}

function runProgram(words: readonly string[], milliseconds: number): Promise<Ran | null> {
  const [program = '', ...rest] = words;
  const env = { ...process.env, PATH: `${process.env.PATH ?? ''}:${MORE_PATH}`, LC_ALL: 'C' };
  const child = spawn(program, rest, { env, stdio: ['ignore', 'pipe', 'pipe'], timeout: milliseconds });
  const texts = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      if (texts[stream].length < MAX_OUTPUT) texts[stream] += text;
    });
  }
  const ended = Promise.withResolvers<Ran | null>();
  child.once('error', () => ended.resolve(null));
  child.once('close', (status) => ended.resolve({ status: status ?? 1, ...texts }));
  return ended.promise;
}
