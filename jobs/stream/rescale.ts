import { UserError } from "../../base/errors.ts";
import type { FlinkStreamJob } from "../../schema/job.ts";
import type { StreamSize } from "../plan/index.ts";
import { assertLive } from "./decide.ts";
import type { FoundStream } from "./find.ts";
import type { StreamPorts } from "./types.ts";
import { type UpgradeOptions, upgradeStream } from "./upgrade.ts";
import type { UpgradeEnd } from "./upgrade-machine.ts";

export interface WantedSize {
  readonly taskManagers?: number | undefined;
  readonly parallelism?: number | undefined;
}

/** How a stream came to its new size. */
export type Rescaled =
  | { readonly how: "unchanged"; readonly run: string; readonly size: StreamSize }
  | { readonly how: "in-place"; readonly run: string; readonly size: StreamSize; readonly message: string }
  /** By a savepoint and a new run, since it could not be done in place: `why`. */
  | {
      readonly how: "by-savepoint";
      readonly size: StreamSize;
      readonly why: string;
      readonly end: UpgradeEnd;
    };

/** The size that a spec asks for. */
export const sizeOf = ({ taskManagers, parallelism }: FlinkStreamJob): StreamSize => ({
  taskManagers: taskManagers.count,
  parallelism: parallelism ?? taskManagers.count * taskManagers.slots,
});

/**
 * Pure: the size that is meant where only a part of it is said: all slots are used, as where a spec leaves parallelism out.
 * @throws UserError `too-few-slots`, `parallelism-too-high`
 */
export function wantedSize(spec: FlinkStreamJob, { taskManagers, parallelism }: WantedSize): StreamSize {
  const { slots, count } = spec.taskManagers;
  const managers = taskManagers ?? (parallelism === undefined ? count : Math.ceil(parallelism / slots));
  const size = { taskManagers: managers, parallelism: parallelism ?? managers * slots };
  if (size.parallelism > managers * slots) {
    throw new UserError(
      "too-few-slots",
      `Parallelism ${size.parallelism} needs more slots than ${managers} TaskManagers × ${slots} = ${managers * slots}.`,
      {
        path: "--parallelism",
        hint: `Ask for at least ${Math.ceil(size.parallelism / slots)} TaskManagers.`,
      },
    );
  }
  if (spec.maxParallelism !== undefined && size.parallelism > spec.maxParallelism) {
    throw new UserError(
      "parallelism-too-high",
      `Parallelism ${size.parallelism} is more than the stream's maxParallelism of ${spec.maxParallelism}, which its state fixes.`,
      { path: "--parallelism", hint: `Ask for at most ${spec.maxParallelism}.` },
    );
  }
  return size;
}

/**
 * Gives a live stream another size: in place where its scheduler can, else by a savepoint and a new run.
 * @throws UserError where nothing was touched
 */
export async function rescaleStream(
  ports: StreamPorts,
  found: FoundStream,
  wanted: WantedSize,
  options: UpgradeOptions = {},
): Promise<Rescaled> {
  const { run } = found;
  assertLive(run);
  const size = wantedSize(run.spec, wanted);
  const now = sizeOf(run.spec);
  if (now.taskManagers === size.taskManagers && now.parallelism === size.parallelism)
    return { how: "unchanged", run: run.run, size };
  const spec: FlinkStreamJob = {
    ...run.spec,
    parallelism: size.parallelism,
    taskManagers: { ...run.spec.taskManagers, count: size.taskManagers },
  };
  // What does not fit is known before the stream is touched.
  await ports.check(spec);
  const { timeoutSeconds, signal, onEvent } = options;
  const answer = await ports.carryOut(
    run.run,
    { kind: "rescale", ...size },
    { timeoutSeconds, signal, onEvent },
  );
  if (answer.ok) return { how: "in-place", run: run.run, size, message: answer.message };
  ports.note(`Not in place: ${answer.message} By a savepoint and a new run instead.`);
  const version = { spec, file: `run ${run.run}` };
  const end = await upgradeStream(ports, found, version, options);
  return { how: "by-savepoint", size, why: answer.message, end };
}
