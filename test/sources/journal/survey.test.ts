import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type JournalSurvey, surveyJournal } from '../../../src/sources/journal/survey.ts';
import { actionsOf, wordsOf } from '../../core/warning/words.ts';
import { temporaryDirectory } from './journal-files.ts';

const MACHINE_ID = '0123456789abcdef0123456789abcdef';
const SURVEY_FILE = fileURLToPath(new URL('../../../src/sources/journal/survey.ts', import.meta.url));
const NOBODY = 65_534;
const NOT_PERMITTED = 77;

/**
 * What a user without any rights finds; this process may well be root, who may read everything. Skips the test and
 * returns null where root can not become anybody else, as in some user namespaces.
 */
function surveyAsNobody(context: TestContext, directory: string): JournalSurvey | null {
  const program = `
    import { surveyJournal } from ${JSON.stringify(SURVEY_FILE)};
    try {
      if (process.getuid() === 0) { process.setgroups([]); process.setgid(${NOBODY}); process.setuid(${NOBODY}); }
    } catch {
      process.exit(${NOT_PERMITTED});
    }
    console.log(JSON.stringify(surveyJournal(${JSON.stringify(directory)})));`;
  const result = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
    encoding: 'utf8',
  });
  if (result.status === NOT_PERMITTED) {
    context.skip('root can not become another user here');
    return null;
  }
  assert.equal(result.status, 0, result.stderr);
  return JSON.parse(result.stdout) as JournalSurvey;
}

function openDirectory(context: TestContext): string {
  const directory = temporaryDirectory(context);
  chmodSync(directory, 0o755);
  return directory;
}

test('a journal without a directory is down, and the advice is to start journald', (context) => {
  const directory = join(temporaryDirectory(context), 'journal');
  const survey = surveyJournal(directory);
  assert.equal(survey.health, 'down');
  assert.match(wordsOf(survey), /no directory/);
  assert.match(actionsOf(survey), /systemd-journald/);
});

test('a directory without journal files is waited for', (context) => {
  const survey = surveyJournal(temporaryDirectory(context));
  assert.equal(survey.health, 'degraded');
  assert.match(wordsOf(survey), /^waits for the journal in /);
});

test('files in the directory and in that of a machine count, others do not', (context) => {
  const directory = temporaryDirectory(context);
  mkdirSync(join(directory, 'remote'));
  writeFileSync(join(directory, 'remote', 'a.journal'), '');
  writeFileSync(join(directory, 'notes.txt'), '');
  assert.equal(surveyJournal(directory).health, 'degraded');
  mkdirSync(join(directory, MACHINE_ID));
  writeFileSync(join(directory, MACHINE_ID, 'system.journal'), '');
  assert.equal(surveyJournal(directory).health, 'up');
});

test('files that may not be read are denied, and the advice names the group', (context) => {
  const directory = openDirectory(context);
  writeFileSync(join(directory, 'system.journal'), '', { mode: 0o000 });
  const survey = surveyAsNobody(context, directory);
  if (survey === null) return;
  assert.equal(survey.health, 'down');
  assert.match(wordsOf(survey), /permission denied for .*system\.journal$/);
  assert.match(actionsOf(survey), /group systemd-journal/);
});

test('with the own journal readable and that of the system not, it is degraded', (context) => {
  const directory = openDirectory(context);
  writeFileSync(join(directory, 'system.journal'), '', { mode: 0o000 });
  writeFileSync(join(directory, 'user-65534.journal'), '', { mode: 0o644 });
  const survey = surveyAsNobody(context, directory);
  if (survey === null) return;
  assert.equal(survey.health, 'degraded');
  assert.match(wordsOf(survey), /in part/);
});

test('a directory that may not be listed is denied', (context) => {
  const directory = openDirectory(context);
  const inner = join(directory, 'journal');
  mkdirSync(inner, { mode: 0o000 });
  const survey = surveyAsNobody(context, inner);
  chmodSync(inner, 0o755);
  if (survey !== null) assert.equal(survey.health, 'down');
});

test('another directory in the same place has another identity, other files have not', (context) => {
  const directory = join(temporaryDirectory(context), 'journal');
  const none = surveyJournal(directory).identity;
  mkdirSync(directory);
  const first = surveyJournal(directory).identity;
  writeFileSync(join(directory, 'a.journal'), '');
  assert.equal(surveyJournal(directory).identity, first);
  renameSync(directory, `${directory}.old`);
  mkdirSync(directory);
  assert.equal(new Set([none, first, surveyJournal(directory).identity]).size, 3);
});
