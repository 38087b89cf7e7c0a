/**
 * What is usual for one sender, learned from what it sends, and when it does otherwise: it falls silent, it storms, its
 * messages take another form. A machine with time as its argument; it remembers a few numbers, whatever comes.
 */
import type { SenderChange } from '../core/event.ts';
import { DAY, formatDuration, MINUTE, type Microseconds, WEEK } from '../core/time.ts';

/** What of a sender's configuration the machine needs. */
export type WatchPlan = {
  /** Silence that is told: that long, `learned`, or `off`. */
  readonly silence: Microseconds | 'learned' | 'off';
  /** The dialect that is expected; null when what comes first is. */
  readonly dialect: string | null;
};

/** What a sender has sent since the machine was last told. */
export type SentRecords = {
  readonly records: number;
  readonly dialects: readonly { readonly dialect: string; readonly count: number }[];
  /** How far the newest of them is ahead of our clock by its own, negative behind; null when they told no time. */
  readonly clockSkew: Microseconds | null;
};

/** Records that are older by the clock of their sender are old ones, whatever has made them so. */
export const OLD_AGE: Microseconds = DAY;

export type ObservedChange = { readonly change: SenderChange; readonly detail: string };

/** Silence is learned for as long, from the first record to the last one: a night belongs to what is usual. */
export const LEARNING_TIME: Microseconds = DAY;
/** Silences between records that must have been seen before the longest of them is the usual. */
export const LEARNING_GAPS = 20;
/** That many times the longest usual silence is one that is told. */
export const SILENCE_FACTOR = 4;
/** No learned silence shorter than this is told. */
export const SHORTEST_SILENCE: Microseconds = 5 * MINUTE;

/** The rate is learned for as many minutes before a storm can be told. */
export const LEARNING_MINUTES = 30;
/** That many times the usual records of a minute, and of a minute with STORM_FLOOR records, are a storm. */
export const STORM_FACTOR = 10;
export const STORM_FLOOR = 30;
/** Below that many times the usual it is over; what goes on for an hour becomes the usual. */
export const CALM_FACTOR = 2;

/** Records that show which dialects a sender uses; one that comes first after them is told. */
export const LEARNING_RECORDS = 100;

/** The longest silence is half forgotten after a week, the rate of a minute after 42. */
const SILENCE_HALF_LIFE = WEEK;
const RATE_MINUTES = 60;

export class SenderWatch {
  #plan: WatchPlan;
  /** When it was first heard of, or the machine was made. */
  readonly #since: Microseconds;
  #lastAt: Microseconds | null = null;
  #gaps = 0;
  #longestGap: Microseconds = 0;
  #isSilent = false;
  /** The minute that is being counted, in minutes since 1970. */
  #minute: number;
  #minuteRecords = 0;
  #minutes = 0;
  /** Records in a minute. */
  #usual = 0;
  /** What was usual when the storm began; null without one. */
  #beforeStorm: number | null = null;
  #records = 0;
  readonly #dialects = new Set<string>();
  /** Whether all that came last was old. */
  #isOld = false;

  constructor(plan: WatchPlan, at: Microseconds) {
    this.#plan = plan;
    this.#since = at;
    this.#minute = Math.floor(at / MINUTE);
  }

  get isSilent(): boolean {
    return this.#isSilent;
  }

  get isStorming(): boolean {
    return this.#beforeStorm !== null;
  }

  /** From now on, another configuration; what has been learned stays. */
  configure(plan: WatchPlan): void {
    this.#plan = plan;
    if (plan.silence === 'off') this.#isSilent = false;
  }

  /** Takes in what came in the second before `at`. */
  observe(sent: SentRecords, at: Microseconds): ObservedChange[] {
    const changes = this.advance(at);
    if (this.#lastAt !== null && at > this.#lastAt) this.#learnGap(at - this.#lastAt);
    if (this.#isSilent) changes.push(this.#return(at));
    this.#lastAt = at;
    this.#minuteRecords += sent.records;
    changes.push(...this.#findStorm(), ...this.#findDialects(sent), ...this.#findAge(sent));
    return changes;
  }

  /** Lets time pass; call it now and then. */
  advance(at: Microseconds): ObservedChange[] {
    const changes = this.#endMinutes(Math.floor(at / MINUTE));
    const quiet = at - (this.#lastAt ?? this.#since);
    const limit = this.#silenceLimit();
    if (this.#isSilent || limit === null || quiet < limit) return changes;
    this.#isSilent = true;
    const usual =
      this.#plan.silence === 'learned' ? `, ${formatDuration(this.#longestGap)} at most before` : '';
    const since = this.#lastAt === null ? 'has not been heard of' : 'has been silent';
    return [...changes, { change: 'silent', detail: `${since} for ${formatDuration(quiet)}${usual}` }];
  }

  #findAge({ clockSkew }: SentRecords): ObservedChange[] {
    if (clockSkew === null || clockSkew < -OLD_AGE === this.#isOld) return [];
    this.#isOld = !this.#isOld;
    if (!this.#isOld) return [{ change: 'current', detail: 'sends what is of now' }];
    const detail = `sends what is ${formatDuration(-clockSkew)} old by its clock: it sends it again, or its clock is wrong`;
    return [{ change: 'old', detail }];
  }

  #silenceLimit(): Microseconds | null {
    const { silence } = this.#plan;
    if (silence === 'off') return null;
    if (silence !== 'learned') return silence;
    const learned = (this.#lastAt ?? this.#since) - this.#since;
    if (this.#gaps < LEARNING_GAPS || learned < LEARNING_TIME) return null;
    return Math.max(SHORTEST_SILENCE, SILENCE_FACTOR * this.#longestGap);
  }

  #return(at: Microseconds): ObservedChange {
    this.#isSilent = false;
    const quiet = formatDuration(at - (this.#lastAt ?? this.#since));
    return { change: 'returned', detail: `is heard again after ${quiet}` };
  }

  /** One that was told may have been an outage: it makes the usual longer, but not as long as it was. */
  #learnGap(gap: Microseconds): void {
    this.#gaps++;
    const usual = this.#longestGap * 2 ** (-gap / SILENCE_HALF_LIFE);
    this.#longestGap = this.#isSilent
      ? Math.min(gap, SILENCE_FACTOR * this.#longestGap)
      : Math.max(gap, usual);
  }

  /** Closes the minutes before `minute`, most of which may have had nothing in them. */
  #endMinutes(minute: number): ObservedChange[] {
    const passed = minute - this.#minute;
    if (passed <= 0) return [];
    const changes = this.#findCalm(this.#minuteRecords);
    const weight = Math.exp(-1 / RATE_MINUTES);
    this.#usual = this.#usual * weight + this.#minuteRecords * (1 - weight);
    if (passed > 1) {
      changes.push(...this.#findCalm(0));
      this.#usual *= weight ** (passed - 1);
    }
    this.#minutes += passed;
    this.#minute = minute;
    this.#minuteRecords = 0;
    return changes;
  }

  #findStorm(): ObservedChange[] {
    const least = STORM_FACTOR * Math.max(STORM_FLOOR, this.#usual);
    if (this.#beforeStorm !== null || this.#minutes < LEARNING_MINUTES || this.#minuteRecords < least)
      return [];
    this.#beforeStorm = this.#usual;
    const detail = `storms: ${this.#minuteRecords} records in this minute, usually ${Math.round(this.#usual)}`;
    return [{ change: 'storm', detail }];
  }

  /** Whether a minute of so many records ends a storm: they are few again, or have become the usual. */
  #findCalm(records: number): ObservedChange[] {
    if (this.#beforeStorm === null) return [];
    if (records >= CALM_FACTOR * Math.max(STORM_FLOOR, this.#beforeStorm, this.#usual)) return [];
    this.#beforeStorm = null;
    return [{ change: 'calm', detail: `no longer storms: ${records} records in a minute` }];
  }

  #findDialects({ records, dialects }: SentRecords): ObservedChange[] {
    const { dialect: expected } = this.#plan;
    const isLearning = expected === null && this.#records < LEARNING_RECORDS;
    this.#records += records;
    const changes: ObservedChange[] = [];
    for (const { dialect } of dialects) {
      if (this.#dialects.has(dialect)) continue;
      const before = expected ?? [...this.#dialects].join(', ');
      this.#dialects.add(dialect);
      if (isLearning || dialect === expected) continue;
      changes.push({
        change: 'dialect',
        detail: `sends ${dialect}, ${expected ? 'not' : 'before'} ${before}`,
      });
    }
    return changes;
  }
}
