import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { type KeptSession, MAX_KEPT_SESSIONS } from '../../src/core/kept-session.ts';
import { MINUTE } from '../../src/core/time.ts';
import { migrate } from '../../src/state/schema.ts';
import { KEEPING_TIME, SessionLog, sessionsToText } from '../../src/state/session-log.ts';
import { START } from './samples.ts';

function sessionOf(number: number, at = START): KeptSession {
  const numbers = { marks: 1, openRank: 3, countedRank: 0 };
  return {
    filter: 'sshd 0123',
    scope: 'sshd',
    key: `${number}`,
    at,
    address: '203.0.113.9',
    user: 'é"\n',
    ...numbers,
  };
}

function setUp() {
  const database = new DatabaseSync(':memory:');
  migrate(database);
  const log = new SessionLog(database);
  const add = (...sessions: readonly KeptSession[]): number => {
    const text = sessionsToText(sessions);
    assert.ok(text !== null);
    log.add(text);
    return log.settle();
  };
  const keys = () => new SessionLog(database).read()?.map(({ key, at }) => `${key} ${at - START}`) ?? null;
  const rows = () => Number(database.prepare('SELECT count(*) AS count FROM sessions').get()?.count);
  return { database, log, add, keys, rows };
}

test('each session comes back as it was last, the one heard of longest ago first', () => {
  const { add, keys, database } = setUp();
  add(sessionOf(1), sessionOf(2));
  add(sessionOf(1, START + 5));
  assert.deepEqual(keys(), ['2 0', '1 5']);
  assert.deepEqual(new SessionLog(database).read()?.[0], sessionOf(2));
});

test('what is over goes, and is not counted as lost', () => {
  const { add, keys, rows } = setUp();
  assert.equal(add(sessionOf(1)), 0);
  assert.equal(add(sessionOf(2, START + MINUTE)), 0);
  assert.equal(add(sessionOf(3, START + KEEPING_TIME + 1)), 0);
  assert.equal(rows(), 2);
  assert.deepEqual(keys()?.length, 2);
});

test('of too many those heard of longest ago go, and are counted', () => {
  const { add, keys, rows } = setUp();
  const many = Array.from({ length: MAX_KEPT_SESSIONS - 1 }, (_, number) => sessionOf(number));
  assert.equal(add(sessionOf(-1)), 0);
  assert.equal(add(...many), 0);
  assert.equal(add(sessionOf(-2), sessionOf(-3)), MAX_KEPT_SESSIONS);
  assert.deepEqual([keys()?.length, rows()], [2, 1]);
  for (let round = 0; round < 5_000; round++) add(sessionOf(round, START + round));
  assert.equal(rows(), 5_001);
});

test('a commit that fails leaves the log as it was', () => {
  const { database, log, add, keys } = setUp();
  add(sessionOf(1));
  database.exec('BEGIN');
  log.add(sessionsToText([sessionOf(2)]) ?? assert.fail());
  database.exec('ROLLBACK');
  assert.equal(add(sessionOf(3)), 0);
  assert.deepEqual(keys(), ['1 0', '3 0']);
});

test('rows that make no sense are found out', () => {
  for (const [column, value] of [
    ['text', "'[]'"],
    ['text', "'not JSON'"],
    ['text', "'{}'"],
    ['text', `'[["sshd",1,"k",1,"","",1,1,1]]'`],
    ['text', `'[["sshd","s","k",1,"the address","",1,1,1]]'`],
    ['latest', '-1'],
    ['count', '7'],
  ]) {
    const { database, add, keys } = setUp();
    add(sessionOf(1));
    database.exec(`UPDATE sessions SET ${column} = ${value}`);
    assert.equal(keys(), null, `${column} = ${value}`);
  }
});
