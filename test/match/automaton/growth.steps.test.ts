/**
 * Steps of a machine that backtracks, for texts that are made to make each shipped rule work: what the proof calls
 * linear takes a limited number of steps for each character, and what takes ever more the proof does not call linear.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parseDocument } from '../../../src/config/document/document.ts';
import { listTomlFiles, readSource } from '../../../src/config/document/files.ts';
import { readFilter } from '../../../src/config/filters/schema.ts';
import { findGrowth, MAX_READINGS } from '../../../src/match/automaton/growth.ts';
import { type Expression, parseExpression } from '../../../src/match/expression/expression.ts';
import { compileTemplate } from '../../../src/match/expression/template.ts';
import { maxWholeLine } from '../../../src/match/expression/whole-line.ts';
import type { Rule, TextPattern } from '../../../src/match/filter.ts';
import { Random } from '../../sim/random.ts';
import { Backtracker } from './backtracker.ts';
import { hostileTexts } from './hostile-texts.ts';

const SEED = Number(process.env.BAILIFF_FUZZ_SEED ?? 20_261_201);
const TEXTS_PER_RULE = Number(process.env.BAILIFF_FUZZ_RUNS ?? 10);
const LENGTHS = [200, 800] as const;
const SHORT_LENGTHS = [100, 400] as const;

/** For each character: the ways to read it, with the moves between characters on each. */
const MAX_STEPS = MAX_READINGS * 8;

/** Four times the text may take that many times the steps; with the square it is 16. */
const MAX_RATIO = 8;

type Subject = { readonly name: string; readonly body: Expression; readonly isBounded: boolean };

describe(`the rules that are shipped (seed ${SEED})`, () => {
  const subjects = shippedSubjects();

  it('are proved to take linear time, but for those that believe no long line', () => {
    assert.ok(subjects.length > 500);
    for (const { name, body, isBounded } of subjects)
      if (!isBounded) assert.equal(findGrowth(body), null, name);
  });

  it('take a limited number of steps for each character of what is made against them', () => {
    const random = new Random(SEED);
    for (const { name, body, isBounded } of subjects) {
      if (isBounded) continue;
      const machine = new Backtracker(body);
      for (const texts of hostileTexts(body, random, LENGTHS, TEXTS_PER_RULE)) {
        const text = texts[1] ?? '';
        const steps = machine.steps(text, MAX_STEPS * text.length);
        assert.ok(steps < MAX_STEPS * text.length, `${name}: ${JSON.stringify(text)}`);
      }
    }
  });
});

describe('the search for texts against a rule', () => {
  it('finds only such rules as the proof does not call linear', () => {
    const random = new Random(SEED);
    const found = new Set<string>();
    for (const text of SQUARES) {
      const body = parseExpression(compileTemplate(text).source).body;
      const machine = new Backtracker(body);
      for (const texts of hostileTexts(body, random, SHORT_LENGTHS, 100)) {
        const [short = 0, long = 0] = texts.map((made) => machine.steps(made, 10_000_000));
        if (long > short * MAX_RATIO) found.add(text);
      }
      assert.notEqual(findGrowth(body), null, text);
    }
    assert.deepEqual([...found], SQUARES, 'the search finds all of these');
  });
});

const SQUARES = [
  'a <any>, client: <any>, server: <host>',
  'user <user> in realm <any> not found',
  '<any><int>x',
  '"<any>" 401 <any> "<any>" end',
];

function shippedSubjects(): Subject[] {
  const directory = new URL('../../../etc/filters', import.meta.url).pathname;
  const names = listTomlFiles(directory);
  assert.ok(Array.isArray(names));
  return names.flatMap((file) => {
    const source = readSource(join(directory, file));
    const { root } = 'message' in source ? { root: null } : parseDocument(source);
    const name = file.slice(0, -'.toml'.length);
    const rules = root === null ? [] : (readFilter(name, root).filter?.rules ?? []);
    return rules.flatMap((rule) => subjectsOf(`${name} ${rule.name}`, rule));
  });
}

function subjectsOf(name: string, { pattern }: Rule): Subject[] {
  if (!('fields' in pattern)) return [subjectOf(name, pattern, true)];
  return pattern.fields.flatMap(({ field, pattern: test }) =>
    test.form === 'values' ? [] : [subjectOf(`${name} ${field}`, test, false)],
  );
}

function subjectOf(name: string, { form, text }: TextPattern, isWhole: boolean): Subject {
  const template = form === 'template' ? compileTemplate(text) : null;
  const parsed = parseExpression(template?.source ?? text);
  const address = (template?.groups ?? parsed.groups).get('address') ?? [];
  const isBounded = isWhole && Number.isFinite(maxWholeLine(parsed.body, address));
  return { name, body: parsed.body, isBounded };
}
