import type { Refusal } from "../refusal.ts";

/** Whether a version can go on from another one's state. */
export type StateCompatibility =
  | { readonly ok: true }
  /** `forcible`: may work, and a person may insist. */
  | { readonly ok: false; readonly forcible: boolean; readonly refusal: Refusal };

const numbers = (version: string): readonly [number, number] => {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return [major, minor];
};

const refusal = (code: string, message: string, hint: string): Refusal => ({
  code,
  message,
  arithmetic: [],
  path: "version",
  hint,
});

/**
 * Whether Flink of version `to` can start from a savepoint or checkpoint that version `from` wrote. Flink reads older state of the same
 * major version. 2.0 does not promise to read state of 1.x
 * (https://nightlies.apache.org/flink/flink-docs-stable/release-notes/flink-2.0/), and no version promises to read a newer one's
 * (https://nightlies.apache.org/flink/flink-docs-stable/docs/ops/upgrading/#compatibility-table).
 */
export function stateCompatible(from: string, to: string): StateCompatibility {
  const [[fromMajor, fromMinor], [toMajor, toMinor]] = [numbers(from), numbers(to)];
  if (toMajor < fromMajor) {
    return {
      ok: false,
      forcible: false,
      refusal: refusal(
        "flink-version-downgrade",
        `Flink ${to} can't read state of Flink ${from}.`,
        `Use a version from ${fromMajor}.${fromMinor} on, or start without state.`,
      ),
    };
  }
  if (toMajor > fromMajor) {
    return {
      ok: false,
      forcible: true,
      refusal: refusal(
        "flink-version-major",
        `Flink ${to} is not promised to read state of Flink ${from}.`,
        `Use a version of ${fromMajor}.x, start without state, or insist on it.`,
      ),
    };
  }
  if (toMinor < fromMinor) {
    return {
      ok: false,
      forcible: true,
      refusal: refusal(
        "flink-version-downgrade",
        `Flink ${to} is older than ${from}, which wrote the state, and not promised to read it.`,
        `Use a version from ${fromMajor}.${fromMinor} on, start without state, or insist on it.`,
      ),
    };
  }
  return { ok: true };
}
