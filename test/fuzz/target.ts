/**
 * What the fuzzer calls with each input: the first byte says how a connection's bytes come in segments, the rest is
 * what comes. All of it is framed, parsed and matched with every filter that is shipped, whatever its identifiers.
 * Throws when something must not be so.
 */
import { readFileSync } from 'node:fs';
import { parseAddress } from '../../src/core/address/address.ts';
import { assert } from '../../src/core/errors.ts';
import { MAX_USER_LENGTH, type Match } from '../../src/core/failure.ts';
import { type Filter, MAX_WEIGHT } from '../../src/match/filter.ts';
import { createMatcher } from '../../src/match/matcher.ts';
import { Framer } from '../../src/syslog/framing.ts';
import { SyslogParser } from '../../src/syslog/parse.ts';

/** Written by fuzz.ts: reading 190 files of TOML is nothing that is to be fuzzed. */
const filters = JSON.parse(readFileSync(process.env.BAILIFF_FUZZ_FILTERS ?? '', 'utf8')) as readonly Filter[];

const MAX_MESSAGE_BYTES = 8_192;
const NOON = Date.UTC(2026, 10, 20, 12) * 1_000;

const matcher = createMatcher(filters);
const parser = new SyslogParser();

export function fuzz(data: Buffer): void {
  const segmentBytes = data.length === 0 || data[0] === 0 ? data.length : (data[0] ?? 1);
  const framer = new Framer(MAX_MESSAGE_BYTES);
  const take = (bytes: Buffer, start: number, end: number, isCut: boolean): void => {
    assert(start >= 0 && start <= end && end <= bytes.length, 'a frame lies in its buffer');
    assert(end - start <= MAX_MESSAGE_BYTES, 'no frame is longer than allowed');
    readMessage(bytes, start, end, isCut);
  };
  for (let start = 1; start < data.length; start += segmentBytes) {
    framer.push(data.subarray(start, Math.min(data.length, start + segmentBytes)), take);
  }
  framer.end(true, take);
}

function readMessage(bytes: Buffer, start: number, end: number, isCut: boolean): void {
  const record = parser.parse(bytes, start, end, { at: NOON, source: 'tcp', sender: '192.0.2.1' }, isCut);
  if (record === null) return;
  assert(/^[!-~]{0,128}$/.test(record.identifier), 'an identifier is printable and short');
  assert(/^[!-~]{0,255}$/.test(record.hostname), 'a host name is printable and short');
  assert(/^[!-~]{0,128}$/.test(record.pid), 'a PID is printable and short');
  const found: Match[] = [];
  matcher.match(record, found);
  matcher.matchAll(record, found);
  for (const { address, weight, kind, user } of found) {
    assert(kind !== 'failure' || address !== '', 'a failure has an address');
    assert(address === '' || parseAddress(address) === address, 'an address is in its canonical form');
    assert(weight >= 0 && weight <= MAX_WEIGHT, 'a weight is limited');
    assert(user.length <= MAX_USER_LENGTH, 'a name is limited');
  }
}
