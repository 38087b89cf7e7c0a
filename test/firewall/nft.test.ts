import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OperationalError } from '../../src/core/errors.ts';
import { NftFirewall } from '../../src/firewall/nft.ts';

/** A worker that runs this body for every request, in place of the real one. */
function firewallWith(body: string): NftFirewall {
  const source = `
    import { parentPort, threadId } from 'node:worker_threads';
    let served = 0;
    parentPort.on('message', ({ id, request }) => {
      if (request.kind === 'close') return parentPort.close();
      const reply = (value) => parentPort.postMessage({ id, ...value });
      served++;
      ${body}
    });`;
  return new NftFirewall('bailiff', new URL(`data:text/javascript,${encodeURIComponent(source)}`));
}

test('a worker that is lost fails its requests as retriable, and the next request has another', async () => {
  const firewall = firewallWith(`
    if (served === 2) throw new Error('out of luck');
    if (request.kind === 'counters') reply({ kind: 'result', value: [] });`);
  assert.deepEqual(await firewall.counters(), []);
  const isLost = (error: OperationalError) => error.code === 'worker-lost' && error.retriable;
  const pending = [firewall.counters(), firewall.list(), firewall.counters()];
  for (const result of await Promise.allSettled(pending)) {
    assert.ok(result.status === 'rejected' && isLost(result.reason));
    assert.match(result.reason.message, /out of luck/);
  }
  assert.deepEqual(await firewall.counters(), []);
  await firewall.close();
});

test('a failure of the world comes through as one, a bug as a bug', async () => {
  const firewall = firewallWith(`
    reply(request.kind === 'counters'
      ? { kind: 'failure', error: { message: 'no', code: 'no-permission', advice: 'be root', retriable: false } }
      : { kind: 'bug', stack: 'Error: assertion failed: here' });`);
  await assert.rejects(firewall.counters(), {
    name: 'OperationalError',
    message: 'no',
    code: 'no-permission',
    advice: 'be root',
    retriable: false,
  });
  await assert.rejects(firewall.list(), {
    name: 'Error',
    message: /in the nft worker: .*assertion failed: here/,
  });
  await firewall.close();
});

test('a listing comes in parts and is one list; without a table it is null', async () => {
  const firewall = firewallWith(`
    if (served === 1) {
      reply({ kind: 'elements', elements: [{ set: 'ban4', key: '203.0.113.9' }] });
      reply({ kind: 'elements', elements: [{ set: 'ban4', key: '203.0.113.10' }] });
      reply({ kind: 'result', value: true });
    } else reply({ kind: 'result', value: false });`);
  assert.deepEqual(
    (await firewall.list())?.map(({ key }) => key),
    ['203.0.113.9', '203.0.113.10'],
  );
  assert.equal(await firewall.list(), null);
  await firewall.close();
});

test('a firewall that was prepared has been asked nothing, answers, and closes also when nobody asks', async () => {
  const body = "reply({ kind: 'result', value: [{ set: request.kind, packets: served, bytes: 0 }] });";
  const firewall = firewallWith(body);
  firewall.prepare();
  assert.deepEqual(await firewall.counters(), [{ set: 'counters', packets: 1, bytes: 0 }]);
  await firewall.close();
  const unused = firewallWith(body);
  unused.prepare();
  await unused.close();
});

test('a firewall that was never asked anything closes at once', async () => {
  const firewall = new NftFirewall('bailiff');
  await firewall.close();
  assert.equal(firewall.description, 'nftables, table inet bailiff');
});
