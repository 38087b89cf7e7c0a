/**
 * A filter as data: which records it reads, and its rules. Made by config/ from etc/filters/NAME.toml; every field
 * says how it is written there, keys in snake_case:
 *
 *     description = "OpenSSH server 7 to 10"
 *     identifiers = ["sshd", "sshd-session"]
 *
 *     [jail]                          # what config/ makes of a jail of this name; no part of the filter
 *     max_retry = 3
 *
 *     [journal]
 *     uids = [0]
 *     units = ["ssh.service", "ssh@*.service"]
 *     executables = ["/usr/sbin/sshd"]
 *     containers = []
 *
 *     [[rules]]
 *     name = "invalid-user"
 *     template = "Invalid user <user> from <address>[ port <port>]"
 *     attempt = "start"
 *     samples = [
 *       { line = "Invalid user admin from 203.0.113.9 port 40022", address = "203.0.113.9", user = "admin" },
 *       { line = "Invalid user admin", match = false },
 *     ]
 */
import type { RuleKind, RuleMode } from '../core/failure.ts';

/**
 * What a filter reads. A record is read when its identifier is listed. A journal entry must also carry a trusted
 * field that the filter names, since any local user can write any identifier: uid, unit or executable; or come from a
 * container engine of this host (core/container.ts).
 */
export type FilterInput = {
  /**
   * SYSLOG_IDENTIFIER or APP-NAME, exact; a trailing `*` matches any rest, and `""` a record without one. An empty list
   * reads every identifier.
   */
  readonly identifiers: readonly string[];
  /** Table `[journal]`. With all three lists empty no journal entry is read, unless `identifiers` is empty as well. */
  readonly journal: {
    readonly uids: readonly number[];
    /** `ssh.service`, or `ssh@*.service` where `*` stands for any instance. */
    readonly units: readonly string[];
    readonly executables: readonly string[];
    /**
     * Names and images of containers, `*` for any text, whose lines are read besides those of containers that are called
     * like an identifier. An empty list: no line of any container, for services of the host. Absent: those that are
     * called like an identifier.
     */
    readonly containers?: readonly string[];
  };
};

/** A labelled line: what a rule must find in it, or that it must not match. */
export type Sample = {
  readonly line: string;
  /**
   * Null for a line that the rule must not match: `{ line = "...", match = false }`. Otherwise keys `address` and
   * `user`, each '' when absent.
   */
  readonly expect: { readonly address: string; readonly user: string } | null;
  /** Lines of the same session that came before it: `before = ["..."]`, empty when absent. */
  readonly before: readonly string[];
};

/**
 * Text with an address and a user in it, anchored at both ends. `template = "..."` as match/expression/template.ts describes it,
 * or `regex = "^...$"`: an ECMAScript expression with the groups `(?<address>)` and `(?<user>)`.
 */
export type TextPattern = { readonly form: 'template' | 'regex'; readonly text: string };

/** Values one of which a field must have, compared as text: `status = [401, 403]`, `status = 401`, `ok = false`. */
export type ValuesPattern = {
  readonly form: 'values';
  readonly values: readonly (string | number | boolean)[];
};

/**
 * What one field of a structured message must be. In TOML, one key of the `json` or `access` table: a string is a
 * template, `{ regex = "^...$" }` an expression, a number, a boolean or an array of plain values is a ValuesPattern.
 */
export type FieldTest = {
  /**
   * In `structured_data`: `SD-ID.PARAM-NAME` (`origin@32473.ip`), or `message` for what is behind. In `json`: a key of the
   * top object, or a path with dots (`request.remote_ip`); nested TOML tables other than `{ regex = }` are joined to
   * such paths. In `access`: one of ACCESS_FIELDS (match/access.ts).
   */
  readonly field: string;
  /** A missing field passes. Written as a key with a trailing `?`: `"user.name?" = "<user>"`. */
  readonly optional: boolean;
  readonly pattern: TextPattern | ValuesPattern;
};

/**
 * Exactly one of the keys `template`, `regex`, `json = { ... }`, `access = { ... }` and `structured_data = { ... }` of a
 * rule.
 */
export type Pattern =
  | TextPattern
  | { readonly form: 'json' | 'access' | 'structured_data'; readonly fields: readonly FieldTest[] };

/**
 * Where in one attempt to log in a rule's line stands, so that an attempt which a service reports with several lines
 * counts once. A session is the lines of one sender, identifier and PID; without a PID every line counts. A process
 * that serves many clients numbers them: a field named `session` in every rule, such as `<int:session>`, keeps the
 * sessions of each apart, also without a PID. No free text may stand to the left of it.
 * - `start`: a line that its result may follow; counts unless an attempt is under way already.
 * - `result`: ends an attempt; counts unless its start was counted.
 * - `end`: ends the session; counts when nothing else in it did.
 */
export type AttemptPart = 'start' | 'result' | 'end';

export type Rule = {
  /** Unique within the filter: lower case letters, digits and `-`. */
  readonly name: string;
  /** Default `failure`. */
  readonly kind: RuleKind;
  /** Default `normal`. */
  readonly mode: RuleMode;
  /** How many failures a hit counts for, 1 to MAX_WEIGHT; default 1. Times the value of a field named `attempts`. */
  readonly weight: number;
  /** Words for the operator, such as `brute-force`; default none. */
  readonly labels: readonly string[];
  readonly pattern: Pattern;
  /** Key `attempt`; null when absent: every hit counts. Only for failures. */
  readonly attempt: AttemptPart | null;
  /** Keeps the address and user found for later lines of the session that name none. Default false. */
  readonly remember: boolean;
  /** Names of rules with `remember`, one of which must have matched in the session before. Default none. */
  readonly after: readonly string[];
  /** At least one of each kind, a line that it matches and one that it does not, unless the filter was imported. */
  readonly samples: readonly Sample[];
};

export type Filter = {
  /** The file's name without `.toml`. */
  readonly name: string;
  readonly description: string;
  /** Keys `identifiers` and `[journal]` at the top of the file. */
  readonly input: FilterInput;
  /**
   * Key `imported`: made by a program out of a filter of another one, which had no samples. Its rules may go without;
   * the linter then says once that nothing shows what they are for. Default false.
   */
  readonly imported?: boolean;
  /** Not in the file: what the linter proves has been proved before, of this very file. Default false. */
  readonly isProved?: boolean;
  readonly rules: readonly Rule[];
};

/** The largest weight of a rule. */
export const MAX_WEIGHT = 100;
