/**
 * A firewall in a process of its own, for a bed to run: one JSON line `[id, method, arguments]` asks, one answers with
 * `[id, result]` or `[id, null, error]`. See bed-firewall.ts.
 */
import { createInterface } from 'node:readline';
import { OperationalError } from '../../src/core/errors.ts';
import { NftFirewall } from '../../src/firewall/nft.ts';

const firewall = new NftFirewall(process.argv[2] ?? 'bailiff');

createInterface({ input: process.stdin }).on('line', (line) => {
  const [id, method, args] = JSON.parse(line) as [number, 'install', [[]]];
  firewall[method](...args).then(
    (result) => console.log(JSON.stringify([id, result ?? null])),
    (error: unknown) => {
      if (!(error instanceof OperationalError)) throw error;
      const { message, code, advice, retriable } = error;
      console.log(JSON.stringify([id, null, { message, code, advice, retriable }]));
    },
  );
});
console.log('ready');
