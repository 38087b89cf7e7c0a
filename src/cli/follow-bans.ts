/**
 * `bailiff bans --follow`: who is banned, and then every change, line by line, until somebody has had enough. A daemon
 * that goes away is waited for, and its changes meanwhile come when it is back.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { OperationalError } from '../core/errors.ts';
import { printableJson } from '../core/text/printable.ts';
import type { BanChangeReport, BanListReport, BanReport } from '../http/control.ts';
import { askDaemon, openStream, pathOf } from './client.ts';
import type { SocketOptions } from './command.ts';
import { describeChange } from './render/ban-change.ts';
import { oldestFirst } from './render/ban-table.ts';
import { countOf } from './render/table.ts';
import type { Terminal } from './render/terminal.ts';
import { readServerSentEvents } from './server-sent-events.ts';

export type FollowOptions = SocketOptions & { readonly json?: true; readonly jail?: string };

/** Of the bans in force at the start so many are shown to a person, as journalctl -f shows its last lines. */
const SHOWN_BANS = 10;
/** A daemon that restarts is back in less than a second. */
const RETRY_MILLISECONDS = 300;
const STREAM = pathOf(['events'], { kinds: 'ban,extend,unban' });

/** Resolves at Ctrl-C, or when nobody is left to read. Throws as askDaemon does when there is no daemon at first. */
export async function followBans(options: FollowOptions, terminal: Terminal): Promise<void> {
  const follower = new Follower(options, terminal);
  await follower.begin();
  while (!follower.isDone) await follower.follow();
}

class Follower {
  readonly #options: FollowOptions;
  readonly #terminal: Terminal;
  readonly #signal: AbortSignal;
  /** After what has been printed; null when all bans must be asked for. */
  #position: string | null = null;
  /** Whether there is somebody to read. */
  #isRead = true;
  #isAway = false;

  constructor(options: FollowOptions, terminal: Terminal) {
    this.#options = options;
    this.#terminal = terminal;
    this.#signal = terminal.interruption();
  }

  get isDone(): boolean {
    return this.#signal.aborted || !this.#isRead;
  }

  async begin(): Promise<void> {
    const { jail, json } = this.#options;
    const report = await this.#ask(jail);
    if (json) await this.#printAll(report);
    else await this.#printLast(report.bans);
    this.#position = report.position;
  }

  /** Prints changes for as long as the daemon is there, and waits a moment when it is not. */
  async follow(): Promise<void> {
    try {
      if (this.#position === null) await this.#startAnew();
      else await this.#listen(this.#position);
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      if (this.isDone) return;
      this.#sayAway(error);
      await pause(RETRY_MILLISECONDS, undefined, { signal: this.#signal }).catch(() => undefined);
    }
  }

  #ask(jail: string | undefined): Promise<BanListReport> {
    return askDaemon(this.#options, this.#terminal, { method: 'GET', path: pathOf(['bans'], { jail }) });
  }

  async #startAnew(): Promise<void> {
    const { json } = this.#options;
    const { position, bans } = await this.#ask(undefined);
    const meant = bans.filter((ban) => this.#isMeant(ban));
    if (json) await this.#printAll({ position, bans: meant });
    else
      this.#say(`what has changed meanwhile is not known any more; ${countOf(meant.length, 'ban')} in force`);
    this.#position = position;
  }

  async #listen(position: string): Promise<void> {
    const headers = { 'last-event-id': position };
    const signal = this.#signal;
    const stream = await openStream(this.#options, this.#terminal, { path: STREAM, headers, signal });
    this.#sayBack();
    try {
      for await (const { name, id, data } of readServerSentEvents(stream)) {
        if (name === 'reset') {
          this.#position = null;
          return;
        }
        if (id === null) continue;
        const change = JSON.parse(data) as BanChangeReport;
        if (this.#isMeant(change.ban)) await this.#print(this.#lineOf(change));
        this.#position = id;
        if (this.isDone) return;
      }
    } finally {
      stream.destroy();
    }
    if (!this.isDone) throw new OperationalError('the daemon has ended the stream', { code: 'stream-ended' });
  }

  #lineOf(change: BanChangeReport): string {
    return this.#options.json ? printableJson(change) : describeChange(change);
  }

  /** For programs: `reset` forgets all that was before, and the bans follow. */
  async #printAll({ position, bans }: BanListReport): Promise<void> {
    await this.#print(printableJson({ kind: 'reset', position, bans: bans.length }));
    for (const ban of oldestFirst(bans)) await this.#print(printableJson(standing(ban, position)));
  }

  async #printLast(bans: readonly BanReport[]): Promise<void> {
    const last = oldestFirst(bans).slice(-SHOWN_BANS);
    if (last.length < bans.length) this.#say(`${countOf(bans.length, 'ban')} in force, the latest:`);
    for (const ban of last) await this.#print(describeChange(standing(ban, '')));
  }

  #isMeant({ jail }: Pick<BanReport, 'jail'>): boolean {
    return this.#options.jail === undefined || jail === this.#options.jail;
  }

  async #print(line: string): Promise<void> {
    if (!this.#isRead) return;
    this.#terminal.print(line);
    this.#isRead = await this.#terminal.drain();
  }

  #sayAway(error: OperationalError): void {
    if (this.#isAway) return;
    this.#isAway = true;
    const isGone = error.code === 'daemon-not-running' || error.code === 'stream-ended';
    this.#say(isGone ? 'the daemon has gone away; waiting for it' : `${error.message}; trying again`);
  }

  #sayBack(): void {
    if (this.#isAway) this.#say('the daemon is back');
    this.#isAway = false;
  }

  #say(text: string): void {
    this.#terminal.complain(`bailiff: ${text}`);
  }
}

/** A ban in force as the change that it once was. */
function standing(report: BanReport, position: string): BanChangeReport {
  const { remainingSeconds: _, enforced: __, ...ban } = report;
  return { kind: 'ban', position, at: ban.since, ban };
}
