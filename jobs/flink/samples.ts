import type { StreamSample } from "./types.ts";

/** Most samples that are kept of an attempt. */
export const MAX_SAMPLES = 512;

/**
 * Adds a sample to those kept. Where there would be too many, every second one of the older ones goes: a stream of months keeps its
 * start, its shape and its present. Pure.
 */
export function addSample(
  samples: readonly StreamSample[] | undefined,
  sample: StreamSample,
  max = MAX_SAMPLES,
): readonly StreamSample[] {
  const all = [...(samples ?? []), sample];
  return all.length <= max ? all : all.filter((_, index) => index % 2 === 0 || index >= all.length - max / 4);
}
