/** A filter as data: which records it reads, and its rules. Made by config/ from etc/filters/NAME.toml. */
import type { RuleKind } from '../core/failure.ts';

/** Which modes a jail switches on: `normal` rules always, then each wider one includes those before it. */
export type RuleMode = 'normal' | 'extra' | 'aggressive';

/**
 * What a filter reads. A record is read when its identifier is listed. A journal entry must also carry a trusted
 * field that the filter names, since any local user can write any identifier: uid, unit or executable.
 */
export type FilterInput = {
  /** SYSLOG_IDENTIFIER or APP-NAME, exact; a trailing `*` matches any rest. Empty reads every identifier. */
  readonly identifiers: readonly string[];
  readonly journal: {
    readonly uids: readonly number[];
    /** `ssh.service`, or `ssh@*.service` where `*` stands for any instance. */
    readonly units: readonly string[];
    readonly executables: readonly string[];
  };
};

/** A labelled line: what a rule must find in it, or that it must not match. */
export type Sample = {
  readonly line: string;
  /** Null for a line that the rule must not match. */
  readonly expect: { readonly address: string; readonly user: string } | null;
};

export type Rule = {
  /** Unique within the filter. */
  readonly name: string;
  readonly kind: RuleKind;
  readonly mode: RuleMode;
  readonly weight: number;
  readonly pattern: { readonly form: 'template' | 'regex'; readonly text: string };
  readonly samples: readonly Sample[];
};

export type Filter = {
  readonly name: string;
  readonly description: string;
  readonly input: FilterInput;
  readonly rules: readonly Rule[];
};
