/**
 * Lengths of time as fail2ban writes them, in seconds: `600`, `10m`, `1d12h`, `1h 30m`, `1year-6mo`. It reads them as
 * arithmetic, with `+` where two parts stand side by side; of that, sums, differences and products are taken here.
 */

/** Seconds by the first letters of a unit. A month is a twelfth of a year, and a year has 365.25 days. */
const UNITS: ReadonlyArray<readonly [RegExp, number, 'whole' | 'broken']> = [
  [/^(?:days?|da|dd?)$/, 86_400, 'whole'],
  [/^(?:weeks?|wee?|ww?)$/, 604_800, 'whole'],
  [/^(?:months?|mon?)$/, 2_629_800, 'broken'],
  [/^(?:years?|yea?|yy?)$/, 31_557_600, 'broken'],
  [/^(?:seconds?|sec?|ss?)$/, 1, 'whole'],
  [/^(?:minutes?|min?|mm?)$/, 60, 'whole'],
  [/^(?:hours?|hou?|hh?)$/, 3_600, 'whole'],
];

const PART = /\s*([+-]?)\s*(\d{1,15}(?:\.\d{1,9})?)((?:\s*\*\s*\d{1,15})*)\s*([a-z]*)/iy;

/** The number as Python writes it, `600` or `47336400.0`; null for what is no length of time. */
export function secondsOf(text: string): string | null {
  const trimmed = text.trim();
  if (trimmed === '') return null;
  let total = 0;
  let isBroken = false;
  PART.lastIndex = 0;
  while (PART.lastIndex < trimmed.length) {
    const part = PART.exec(trimmed);
    if (part === null) return null;
    const [, sign, amount = '', factors = '', unit = ''] = part;
    const known = unit === '' ? null : UNITS.find(([names]) => names.test(unit.toLowerCase()));
    if (known === undefined) return null;
    const product = factors.split('*').reduce((value, factor) => value * Number(factor.trim() || 1), 1);
    total += (sign === '-' ? -1 : 1) * Number(amount) * product * (known?.[1] ?? 1);
    isBroken ||= amount.includes('.') || known?.[2] === 'broken';
  }
  if (!Number.isSafeInteger(Math.trunc(total))) return null;
  return isBroken && Number.isInteger(total) ? `${total}.0` : String(total);
}
