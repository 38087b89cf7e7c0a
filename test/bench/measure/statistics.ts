/** Numbers of a sample. */

/** The value that `percent` of the sample do not exceed (nearest rank); the sample must not be empty. */
export function percentile(sample: readonly number[], percent: number): number {
  const sorted = [...sample].sort((left, right) => left - right);
  const value = sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)];
  if (value === undefined) throw new Error('there is no percentile of nothing');
  return value;
}

/** The middle one, of an even number the lower of the two in the middle. */
export function median(sample: readonly number[]): number {
  return percentile(sample, 50);
}

export function sum(sample: readonly number[]): number {
  return sample.reduce((total, value) => total + value, 0);
}
