/** The guides say what is so: their configuration loads, their commands exist, and their links lead somewhere. */
import assert from 'node:assert/strict';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { createWholeProgram } from '../../src/cli/program.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { Match } from '../../src/core/failure.ts';
import { createMatcher, type Matcher } from '../../src/match/matcher.ts';
import { fakeTerminal } from '../cli/fake-terminal.ts';
import { read } from '../syslog/reading.ts';
import { blocksOf, commandsOf, type Guide, linksOf, logLinesOf, problemOf, readGuides } from './guides.ts';

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));
const guides = readGuides(PROJECT);

let directory: string;
let configPath: string;
before(() => {
  directory = mkdtempSync(join(tmpdir(), 'bailiff-guides-'));
  mkdirSync(join(directory, 'filters'));
  mkdirSync(join(directory, 'conf.d'));
  configPath = join(directory, 'bailiff.toml');
  copyFileSync(join(PROJECT, 'etc/bailiff.toml'), configPath);
});
after(() => rmSync(directory, { recursive: true }));

describe('the configuration in a guide', () => {
  for (const guide of guides) {
    const blocks = blocksOf(guide, 'toml');
    if (blocks.length === 0) continue;
    it(`loads: ${guide.path}`, () => {
      for (const { text, line } of blocks) {
        const isFilter = text.includes('[[rules]]');
        writeFileSync(join(directory, 'filters', 'shop.toml'), isFilter ? text : SHOP);
        writeFileSync(join(directory, 'conf.d', 'guide.toml'), isFilter ? '[jail.shop]\n' : text);
        const loaded = loadConfig({ configPath, filtersInUseOnly: true, uid: 0, env: {} });
        assert.deepEqual(
          [...loaded.problems, ...loaded.warnings].map(({ message }) => message),
          [],
          `${guide.path}:${line}`,
        );
        assert.ok(loaded.plan !== null);
      }
    });
  }
});

describe('a line of a log in a guide', () => {
  for (const guide of guides.filter(isDevice)) {
    const lines = logLinesOf(guide);
    it(`counts as the guide says: ${guide.path}`, () => {
      assert.ok(lines.length > 0);
      const matcher = matcherOf(guide);
      for (const { text, line } of lines) {
        const found: Match[] = [];
        matcher.match(read(text), found);
        const failures = found.filter(({ kind }) => kind === 'failure').map(({ address }) => address);
        assert.deepEqual(failures, ['203.0.113.9'], `${guide.path}:${line}: ${text}`);
      }
    });
  }
});

describe('a command of bailiff in a guide', () => {
  let program: Command;
  before(async () => {
    program = await createWholeProgram(fakeTerminal());
  });

  for (const guide of guides) {
    const commands = commandsOf(guide);
    if (commands.length === 0) continue;
    it(`exists, with the options that it is given: ${guide.path}`, () => {
      for (const { text, line } of commands) {
        assert.equal(problemOf(program, text), null, `${guide.path}:${line}: ${text}`);
      }
    });
  }

  it('is seen to be wrong when it is', () => {
    for (const [text, problem] of [
      ['bailiff prevent', 'no command prevent'],
      ['bailiff ban 203.0.113.9 --jail sshd --until tomorrow', 'no option --until'],
      ['bailiff status sshd dovecot', 'too many words'],
      ['bailiff --loud status', 'no option --loud'],
    ] as const) {
      assert.equal(problemOf(program, text), problem);
    }
    assert.equal(problemOf(program, 'bailiff ban 203.0.113.9 --jail sshd --for=1h'), null);
    assert.equal(problemOf(program, 'bailiff COMMAND --help'), null);
  });
});

describe('a link in a guide', () => {
  for (const guide of guides) {
    const links = linksOf(guide);
    if (links.length === 0) continue;
    it(`leads somewhere: ${guide.path}`, () => {
      for (const { text, line } of links) {
        const [path = '', anchor] = text.split('#');
        const target = path === '' ? join(PROJECT, guide.path) : join(PROJECT, dirname(guide.path), path);
        assert.ok(existsSync(target), `${guide.path}:${line}: ${text}`);
        if (anchor === undefined) continue;
        const anchors = [...readFileSync(target, 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
          slugOf(title),
        );
        assert.ok(anchors.includes(anchor), `${guide.path}:${line}: ${text}`);
      }
    });
  }
});

describe('the guides for devices', () => {
  it('are all in the index', () => {
    const index = guides.find(({ path }) => path === 'docs/devices/README.md');
    assert.ok(index !== undefined);
    const linked = new Set(linksOf(index).map(({ text }) => text.split('#')[0]));
    const missing = guides
      .filter(isDevice)
      .filter(({ path }) => !linked.has(path.replace('docs/devices/', '')));
    assert.deepEqual(missing, []);
  });

  it('each say what to configure here, what there, and how to see that it works', () => {
    for (const guide of guides.filter(isDevice)) {
      const titles = [...guide.text.matchAll(/^## (.+)$/gm)].map(([, title]) => title);
      assert.ok(titles.includes('See that it works'), guide.path);
      assert.ok(blocksOf(guide, 'toml').length > 0, guide.path);
    }
  });
});

/** Of the jails that the guide enables, in one block or another. */
function matcherOf(guide: Guide): Matcher {
  const filters = blocksOf(guide, 'toml').flatMap(({ text }) => {
    writeFileSync(join(directory, 'conf.d', 'guide.toml'), text);
    const { plan } = loadConfig({ configPath, filtersInUseOnly: true, uid: 0, env: {} });
    assert.ok(plan !== null);
    return plan.filters;
  });
  return createMatcher([...new Map(filters.map((filter) => [filter.name, filter])).values()]);
}

function isDevice({ path }: Guide): boolean {
  return path.startsWith('docs/devices/') && path !== 'docs/devices/README.md';
}

/** The name that GitHub and others give a heading. */
function slugOf(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}

/** For guides that enable the filter which docs/filters.md writes. */
const SHOP = `identifiers = ["shopd"]
[[rules]]
name = "failed-login"
template = "login failed (<address>)"
samples = [
  { line = "login failed (203.0.113.9)", address = "203.0.113.9", user = "" },
  { line = "login succeeded (203.0.113.9)", match = false },
]
`;
