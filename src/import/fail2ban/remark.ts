/** What an import has to say about its source: each remark with the place of the text that it is about. */
import type { FilePlace } from './ini.ts';

export type Remark = {
  /**
   * `refused`: left out, so something that fail2ban finds or does is missing. `changed`: carried over, but not exactly.
   * `note`: what the reader should know or do.
   */
  readonly severity: 'refused' | 'changed' | 'note';
  /** `filter sshd`, `jail sshd`, or '' for a file. */
  readonly subject: string;
  readonly place: FilePlace;
  readonly message: string;
};

/** Collects the remarks about one subject; the same words about the same line are kept once. */
export class Remarks {
  readonly list: Remark[] = [];
  readonly #subject: string;
  readonly #seen = new Set<string>();

  constructor(subject: string) {
    this.#subject = subject;
  }

  refused(place: FilePlace, message: string): void {
    this.#add('refused', place, message);
  }

  changed(place: FilePlace, message: string): void {
    this.#add('changed', place, message);
  }

  note(place: FilePlace, message: string): void {
    this.#add('note', place, message);
  }

  #add(severity: Remark['severity'], place: FilePlace, message: string): void {
    const key = `${place.file}:${place.line}:${message}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    this.list.push({ severity, subject: this.#subject, place, message });
  }
}
