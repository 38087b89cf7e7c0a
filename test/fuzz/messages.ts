/** Messages for fuzzing: made of the pieces that headers are made of, in any order, mutilated and mixed with noise. */
import fc from 'fast-check';

/** `BAILIFF_FUZZ_RUNS` and `BAILIFF_FUZZ_SEED` search further than a test run does. */
export const RUNS = Number(process.env.BAILIFF_FUZZ_RUNS ?? 20_000);
export const SEED = Number(process.env.BAILIFF_FUZZ_SEED ?? 5424);

export const PIECES = [
  '<38>',
  '<191>',
  '<999>',
  '<',
  '>',
  '1 ',
  '- ',
  '-',
  ' ',
  '  ',
  ':',
  ': ',
  '\n',
  '\r\n',
  '\0',
  '\t',
  '\ufeff',
  '#012',
  '2026-11-20T14:13:37.749843+00:00',
  '2026-11-20T14:13:37Z',
  'Nov 20 14:13:17',
  'Nov  5 2026 04:13:17',
  '*Nov 20 14:13:17.1',
  'Feb 29 00:00:00',
  ' UTC',
  ' CET: ',
  ' 2026',
  'vm ',
  '192.0.2.7 ',
  '2001:db8::7 ',
  'sshd',
  'sshd[1]: ',
  'postfix/smtpd[',
  ']',
  ']: ',
  '[',
  '[a k="',
  '"]',
  '\\',
  '"',
  '=',
  '45: ',
  '%SEC_LOGIN-4-LOGIN_FAILED: ',
  '%',
  'system,error,critical ',
  ',',
  '788a2045c0de,UAP-5.60: ',
  '("U7PG2,788a2045c0de,v4")',
  'CEF:0|',
  'LEEF:1.0|',
  'Failed password for root from 203.0.113.9',
  'é',
  '\ud83d\ude00',
  'a'.repeat(130),
  '1234567890',
];

/** From nothing to some hundred bytes. */
export const message = fc
  .array(
    fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom(...PIECES).map((text) => Buffer.from(text)) },
      {
        weight: 1,
        arbitrary: fc.uint8Array({ maxLength: 6 }).map((bytes) => Buffer.from(bytes)),
      },
    ),
    { maxLength: 14 },
  )
  .map((pieces) => Buffer.concat(pieces));
