/** Somebody outside who holds a copy of the bans, by what the ban log tells. */
import assert from 'node:assert/strict';
import type { BanChange, BanLogPosition, BanNews } from '../../src/core/ledger/ban-log.ts';
import type { Ban } from '../../src/core/ledger/decision.ts';
import type { Ledger } from '../../src/core/ledger/ledger.ts';

export class Follower {
  position: BanLogPosition | null = null;
  resets = 0;
  readonly #bans = new Map<string, Ban>();

  take(news: BanNews): void {
    if (news.kind === 'reset') {
      this.resets++;
      this.#bans.clear();
      for (const ban of news.bans) this.#bans.set(keyOf(ban), ban);
    } else for (const change of news.changes) this.#carryOut(change);
    this.position = news.position;
  }

  /** Throws when the copy is not exactly what the ledger has in force. */
  mustHold(ledger: Ledger): void {
    assert.deepEqual(this.#bans, new Map([...ledger.bans()].map((ban) => [keyOf(ban), ban])));
  }

  #carryOut({ kind, ban }: BanChange): void {
    assert.equal(this.#bans.has(keyOf(ban)), kind !== 'ban', `${kind} of ${keyOf(ban)}`);
    if (kind === 'unban') this.#bans.delete(keyOf(ban));
    else this.#bans.set(keyOf(ban), ban);
  }
}

function keyOf({ jail, offender }: Ban): string {
  return `${jail} ${offender}`;
}
