/** The value below which a share `p` (0 to 1) of `values` lies: nearest rank. NaN for no values. */
export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)] ?? Number.NaN;
}

/** `1.23 s`, or `-` where nothing was measured. */
export const seconds = (value: number): string => (Number.isNaN(value) ? "-" : `${value.toFixed(2)} s`);

/** `3.1x`, or `-` where nothing was measured. */
export const ratio = (value: number, base: number): string =>
  Number.isFinite(value / base) ? `${(value / base).toFixed(1)}x` : "-";
