/** What the real fail2ban finds in lines, by its own tool: the reference that imported filters are held against. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const FAIL2BAN_DIRECTORY = '/etc/fail2ban';
const TOOL = '/usr/bin/fail2ban-regex';

/** Of processor time, for all lines of one filter; usually it is less than two. */
const BATCH_SECONDS = 8;

/** Why there is nothing to compare with; '' when there is. */
export function whyNoReference(): string {
  if (!existsSync(TOOL)) return `${TOOL} is not installed`;
  return existsSync(join(FAIL2BAN_DIRECTORY, 'filter.d')) ? '' : `${FAIL2BAN_DIRECTORY} has no filters`;
}

/**
 * Addresses by line, as fail2ban-regex finds them; `filter` is a name, with options in brackets. Names are not
 * resolved.
 */
export async function findWithFail2ban(
  filter: string,
  lines: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const directory = mkdtempSync(join(tmpdir(), 'bailiff-reference-'));
  try {
    const log = join(directory, 'log');
    writeFileSync(log, `${lines.join('\n')}\n`);
    const options = ['--no-check-all', '--usedns', 'no', '--encoding', 'utf-8', '-o', '<ip>\t<msg>'];
    const output = await run([...options, log, filter]);
    if (output === null) return await findOneByOne(filter, lines);
    const found = new Map<string, string[]>();
    for (const row of output.split('\n')) {
      const tab = row.indexOf('\t');
      if (tab < 0) continue;
      const line = row.slice(tab + 1);
      found.set(line, [...(found.get(line) ?? []), row.slice(0, tab)]);
    }
    return found;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Some of its expressions take exponential time: then the lines that finish are those that count. */
async function findOneByOne(
  filter: string,
  lines: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  if (lines.length === 1) return new Map();
  const found: (readonly [string, readonly string[]])[] = [];
  for (const line of lines) found.push(...(await findWithFail2ban(filter, [line])));
  return new Map(found);
}

/** Null when it does not finish in its time, which is the processor's: how busy the machine is does not count. */
function run(words: readonly string[]): Promise<string | null> {
  return new Promise((resolve, reject) => {
    const limited = ['-c', 'ulimit -t "$0" && exec "$@"', `${BATCH_SECONDS}`, TOOL, ...words];
    const child = spawn('sh', limited, { stdio: ['ignore', 'pipe', 'ignore'] });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
    child.on('error', reject);
    child.on('close', (_status, signal) => resolve(signal === null ? output : null));
  });
}
