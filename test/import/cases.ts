/** The annotated lines that lie beside a checkout, for tests that compare; they are not part of the project. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FILE = fileURLToPath(new URL('../../../shared/cases-open.jsonl', import.meta.url));

export type CaseLine = {
  readonly raw: string;
  readonly message: string;
  readonly identifier: string;
  readonly pid: string;
};

export type Case = {
  readonly id: string;
  readonly service: string;
  readonly origin: string;
  readonly modes: readonly string[];
  readonly lines: readonly CaseLine[];
};

type Written = { raw?: string; message?: string; identifier?: string | null; pid?: string | number | null };

export function whyNoCases(): string {
  return existsSync(FILE) ? '' : 'the annotated lines (../shared/cases-open.jsonl) are not there';
}

/** Every case, each with process ids of its own, so that no two are taken for one connection. */
export function readCases(): Case[] {
  const texts = readFileSync(FILE, 'utf8')
    .split('\n')
    .filter((text) => text !== '');
  return texts.map((text, index) => {
    const written = JSON.parse(text) as Written & {
      id: string;
      service: string;
      origin: string;
      mode: string[];
      sequence?: Written[];
    };
    const { id, service, origin, mode } = written;
    const lines = (written.sequence ?? [written]).map((line) => readLine(line, (index + 1) * 10));
    return { id, service, origin, modes: mode, lines };
  });
}

/** Process ids of one case that differ stay different. A message alone gets the header that syslogd would write. */
function readLine({ raw, message = '', identifier, pid }: Written, base: number): CaseLine {
  const old = String(pid ?? '');
  const own = String(100_000 + base * 10 + (Number(old) % 10 || 0));
  if (!identifier) return { raw: raw ?? message, message, identifier: '', pid: '' };
  const isPlain = raw === undefined || raw === message;
  const line = isPlain
    ? `Nov 20 10:00:00 host ${identifier}[${own}]: ${message}`
    : raw.replace(`[${old}]`, `[${own}]`);
  return { raw: line, message, identifier, pid: own };
}
