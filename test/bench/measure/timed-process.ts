/** A process in a bed that does one thing for each line on its input, and answers with when it did it. */
import type { BedProcess } from '../../bed/process.ts';

export class TimedProcess {
  readonly #process: BedProcess;
  readonly #waiting: ((answer: string) => void)[] = [];

  constructor(running: BedProcess) {
    this.#process = running;
    running.onLine((line) => this.#waiting.shift()?.(line));
    running.ended.then(({ stderr }) => {
      for (const answer of this.#waiting.splice(0)) answer(`it ended: ${stderr}`);
    });
  }

  /** Resolves to nanoseconds of process.hrtime.bigint(). Rejects with what it says instead. */
  async ask(request: string): Promise<bigint> {
    const answer = await new Promise<string>((resolve) => {
      this.#waiting.push(resolve);
      this.#process.write(`${request}\n`);
    });
    if (!/^\d+$/.test(answer)) throw new Error(answer);
    return BigInt(answer);
  }
}
