import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { otherSpellings } from '../../src/match/request-path.ts';

describe('the path of a request', () => {
  it('has no other spelling when it is written as servers read it', () => {
    for (const path of ['/', '/wp-login.php', '/a/b.c/d%zz', '/%', '/a.b']) {
      assert.deepEqual(otherSpellings(path), [], path);
    }
  });

  it('is decoded once', () => {
    assert.deepEqual(otherSpellings('/wp-%6cogin.php'), ['/wp-login.php']);
    assert.deepEqual(otherSpellings('/wp-%256cogin.php'), ['/wp-%6cogin.php']);
    assert.deepEqual(otherSpellings('%2Fwp-login.php'), ['/wp-login.php']);
  });

  it('has one slash for several, and no dots', () => {
    assert.deepEqual(otherSpellings('//wp-login.php'), ['/wp-login.php']);
    assert.deepEqual(otherSpellings('/x/../wp-login.php'), ['/wp-login.php']);
    assert.deepEqual(otherSpellings('/./a/%2e%2e/../../wp-login.php'), ['/wp-login.php']);
    assert.deepEqual(otherSpellings('/a/.'), ['/a/']);
    assert.deepEqual(otherSpellings('/.well-known/x'), []);
  });

  it('is that of a program in PHP without what follows its name', () => {
    assert.deepEqual(otherSpellings('/wp-login.php/x/y'), ['/wp-login.php']);
    assert.deepEqual(otherSpellings('/wp-login.php%2fx'), ['/wp-login.php/x', '/wp-login.php']);
  });

  it('stands behind the server’s name in a request to a proxy', () => {
    assert.deepEqual(otherSpellings('http://www.example.org/wp-login.php'), ['/wp-login.php']);
    assert.deepEqual(otherSpellings('http://www.example.org'), ['/']);
  });
});
