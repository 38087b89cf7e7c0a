import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import { OperationalError } from '../../src/core/errors.ts';
import { APPLICATION_ID, MIGRATIONS, type Migration, migrate } from '../../src/state/schema.ts';

const NEXT: Migration = {
  name: 'a country for each ban',
  statements: `ALTER TABLE bans ADD COLUMN country TEXT NOT NULL DEFAULT '';`,
};

describe('migrate', () => {
  it('takes an empty file through every step, and marks it as ours', () => {
    const database = new DatabaseSync(':memory:');
    assert.equal(migrate(database), 0);
    assert.equal(database.prepare('PRAGMA application_id').get()?.application_id, APPLICATION_ID);
    const steps = database.prepare('SELECT version, name FROM migrations').all();
    assert.deepEqual(
      steps.map((step) => [step.version, step.name]),
      MIGRATIONS.map((migration, index) => [index + 1, migration.name]),
    );
  });

  it('takes a file of an earlier version through the steps that it lacks, and keeps what is in it', () => {
    const database = new DatabaseSync(':memory:');
    migrate(database);
    database.exec(`INSERT INTO bans VALUES ('sshd', '192.0.2.1', 1, 2, 'offence', 5, 1)`);
    assert.equal(migrate(database, [...MIGRATIONS, NEXT]), MIGRATIONS.length);
    assert.deepEqual(Object.values(database.prepare('SELECT offender, country FROM bans').get() ?? {}), [
      '192.0.2.1',
      '',
    ]);
    assert.equal(migrate(database, [...MIGRATIONS, NEXT]), MIGRATIONS.length + 1);
  });

  it('refuses a file of a later version and says so', () => {
    const database = new DatabaseSync(':memory:');
    migrate(database, [...MIGRATIONS, NEXT]);
    assert.throws(
      () => migrate(database),
      (error) => {
        assert.ok(error instanceof OperationalError);
        assert.equal(error.code, 'state-version');
        assert.match(
          error.message,
          new RegExp(`of version ${MIGRATIONS.length + 1}, .* up to ${MIGRATIONS.length}`),
        );
        assert.match(error.advice, /install the newer bailiff/);
        return true;
      },
    );
  });

  it('leaves the file at its version when a step fails, since that is a bug', () => {
    const database = new DatabaseSync(':memory:');
    migrate(database);
    const broken = { name: 'broken', statements: `${NEXT.statements} SELECT nonsense;` };
    assert.throws(() => migrate(database, [...MIGRATIONS, broken]), /nonsense/);
    assert.equal(database.isTransaction, false);
    assert.equal(migrate(database), MIGRATIONS.length);
    const columns = database.prepare('SELECT name FROM pragma_table_info(?)').all('bans');
    assert.ok(columns.every(({ name }) => name !== 'country'));
  });
});
