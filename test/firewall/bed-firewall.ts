/** The real firewall, working on the kernel of a bed, in the hands of a test outside. */
import { fileURLToPath } from 'node:url';
import { OperationalError } from '../../src/core/errors.ts';
import type { Firewall } from '../../src/firewall/firewall.ts';
import type { Bed } from '../bed/namespace.ts';
import { PATIENCE_MILLISECONDS } from '../bed/waiting.ts';

const PROGRAM = fileURLToPath(new URL('firewall-process.ts', import.meta.url));

type Failure = {
  readonly message: string;
  readonly code: string;
  readonly advice: string;
  readonly retriable: boolean;
};

type Answer = readonly [id: number, result: unknown, failure?: Failure];

/** `user` runs it without privileges, as that user and group id. */
export async function openBedFirewall(bed: Bed, user?: number): Promise<Firewall> {
  const program = await bed.start([process.execPath, PROGRAM], user === undefined ? {} : { uid: user });
  await program.waitForLine(/^ready$/, PATIENCE_MILLISECONDS);
  const pending = new Map<number, (answer: Answer) => void>();
  let lastId = 0;
  program.onLine((line) => {
    if (!line.startsWith('[')) return;
    const answer = JSON.parse(line) as Answer;
    pending.get(answer[0])?.(answer);
    pending.delete(answer[0]);
  });
  const call = <Result>(method: keyof Firewall, ...args: readonly unknown[]): Promise<Result> =>
    new Promise((resolve, reject) => {
      const id = ++lastId;
      pending.set(id, ([, result, failure]) => {
        if (failure === undefined) resolve(result as Result);
        else reject(new OperationalError(failure.message, failure));
      });
      void program.ended.then(() => reject(new Error(`the firewall's process ended: ${program.output}`)));
      program.write(`${JSON.stringify([id, method, args])}\n`);
    });
  return {
    backend: 'nft',
    description: 'nftables in a bed',
    install: (trust) => call('install', trust),
    apply: (batch) => call('apply', batch),
    list: () => call('list'),
    check: () => call('check'),
    counters: () => call('counters'),
    removeTable: () => call('removeTable'),
    async close() {
      await call('close');
      program.end();
      await program.ended;
    },
  };
}
