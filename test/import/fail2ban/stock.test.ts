import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { SHIPPED_FILTER_DIRECTORY } from '../../../src/config/paths.ts';
import { parseIni } from '../../../src/import/fail2ban/ini.ts';
import { readSettings, type Settings } from '../../../src/import/fail2ban/settings.ts';
import { counterpartOf, fingerprintOf, isStock, modeFrom } from '../../../src/import/fail2ban/stock.ts';
import { STOCK_FINGERPRINTS } from '../../../src/import/fail2ban/stock-fingerprints.ts';

function settingsOf(text: string): Settings {
  return readSettings(['a.conf'], (path) => (path === 'a.conf' ? parseIni(path, text) : null));
}

test('a filter is known by what it says, not by its comments, blanks and order', () => {
  const one = settingsOf(
    '# old\n[Definition]\nfailregex = ^a <HOST>$\n  ^b <HOST>$\nignoreregex =\n[Init]\nmaxlines = 1\n',
  );
  const other = settingsOf(
    '[Init]\nmaxlines=1\n\n[Definition]\nignoreregex = \nfailregex =  ^a <HOST>$\n\n   ^b <HOST>$\n\n# end\n',
  );
  assert.equal(fingerprintOf(one), fingerprintOf(other));
  for (const text of [
    '[Definition]\nfailregex = ^a <HOST>$\nignoreregex =\n[Init]\nmaxlines = 1\n',
    '[Definition]\nfailregex = ^a <HOST>$\n  ^b <HOST>$\nignoreregex = x\n[Init]\nmaxlines = 1\n',
    '[Definition]\nfailregex = ^a <HOST>$\n  ^b <HOST>$\nignoreregex =\n',
  ])
    assert.notEqual(fingerprintOf(settingsOf(text)), fingerprintOf(one), text);
  assert.ok(!isStock('sshd', one));
});

test('every filter that ours takes the place of has one of ours', () => {
  for (const [stem, fingerprints] of STOCK_FINGERPRINTS) {
    assert.ok(existsSync(join(SHIPPED_FILTER_DIRECTORY, `${counterpartOf(stem)}.toml`)), stem);
    assert.ok(fingerprints.length > 0 && fingerprints.every((text) => /^[0-9a-f]{16}$/.test(text)), stem);
  }
});

test("fail2ban's modes are modes of ours that find at least as much", () => {
  assert.deepEqual(modeFrom('more'), { mode: 'normal', isExact: true });
  assert.deepEqual(modeFrom('aggressive'), { mode: 'aggressive', isExact: true });
  assert.deepEqual(modeFrom('ddos'), { mode: 'aggressive', isExact: false });
  assert.equal(modeFrom('mine'), null);
});
