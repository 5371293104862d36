// Quantities with units, as text. Without zod, which the command line would load at every start for them.

const MEMORY_MIB: Readonly<Record<string, number>> = { Mi: 1, Gi: 1024, Ti: 1024 * 1024 };

/** Parses `512Mi`, `2Gi`, `1.5Gi`, `1Ti` to whole MiB; undefined where the text is no such quantity. */
export function parseMemory(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(Mi|Gi|Ti)$/.exec(text);
  const factor = MEMORY_MIB[match?.[2] ?? ""];
  if (match?.[1] === undefined || factor === undefined) return undefined;
  const mib = Number(match[1]) * factor;
  return Number.isSafeInteger(mib) && mib > 0 ? mib : undefined;
}

/** Parses `250m`, `1`, `1.5` cores to whole millicores; undefined where the text is no such quantity. */
export function parseCpu(text: string): number | undefined {
  const match = /^(\d+)m$|^(\d+(?:\.\d{1,3})?)$/.exec(text);
  if (match === null) return undefined;
  const millicores = match[1] === undefined ? Math.round(Number(match[2]) * 1000) : Number(match[1]);
  return Number.isSafeInteger(millicores) && millicores > 0 ? millicores : undefined;
}

const DURATION_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** Parses `90s`, `15m`, `1h30m`, or ISO 8601 `PT1H30M`, `P1D` to whole seconds; undefined where the text is neither. */
export function parseDuration(text: string): number | undefined {
  const iso = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/.exec(text);
  const simple = /^(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(text);
  const match = text === "" || text.endsWith("T") ? null : (iso ?? simple);
  if (match === null) return undefined;
  const seconds = ["d", "h", "m", "s"].reduce(
    (sum, unit, index) => sum + Number(match[index + 1] ?? 0) * (DURATION_SECONDS[unit] ?? 0),
    0,
  );
  return Number.isSafeInteger(seconds) && seconds > 0 ? seconds : undefined;
}
