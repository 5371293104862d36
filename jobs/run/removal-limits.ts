const VARIABLE = "MAYFLY_REMOVAL_SECONDS";
/** A namespace of a run is gone in ten seconds; what waits for volumes, or for other controllers' finalizers, takes longer. */
const DEFAULT_SECONDS = 180;

/** How long a removal may take before it ends with saying what is left. */
export interface RemovalLimits {
  /** For Pulumi to destroy the stack, all tries together. */
  readonly destroyMs: number;
  /** Then, for the namespace to be gone. */
  readonly goneMs: number;
  /** For a worker, which tries again what failed: until it gives up. In seconds. */
  readonly giveUpSeconds: number;
  /** What is wrong with the setting; undefined where nothing is. A removal goes on all the same. */
  readonly problem: string | undefined;
}

/**
 * `MAYFLY_REMOVAL_SECONDS` (20 to 3600; default 180) bounds one removal: a finalizer that nobody serves is told after that. Another
 * removal (`mayfly destroy`) may follow at any time.
 */
export function removalLimits(text = process.env[VARIABLE]): RemovalLimits {
  const given = text === undefined || text === "" ? DEFAULT_SECONDS : Number(text);
  const valid = Number.isInteger(given) && given >= 20 && given <= 3600;
  const seconds = valid ? given : DEFAULT_SECONDS;
  return {
    destroyMs: Math.round((seconds * 2000) / 3),
    goneMs: Math.round((seconds * 1000) / 3),
    giveUpSeconds: seconds * 2,
    problem: valid
      ? undefined
      : `${VARIABLE} is no whole number from 20 to 3600: ${text ?? ""}. ${DEFAULT_SECONDS} is used.`,
  };
}
