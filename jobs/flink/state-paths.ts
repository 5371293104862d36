import type { StatePlan } from "./types.ts";

/** What Flink puts four random letters in place of: jobs/plan/flink/state.ts. */
const MARKER = "_entropy_";

/** Those letters: Flink's StringUtils.generateRandomAlphanumericString. Folders, which it makes empty, have the marker itself. */
const RANDOM = `(?:[0-9A-Za-z]{4}|${MARKER})`;

/** Whether a folder at the location may have data of checkpoints. */
export const isDataFolder = (name: string): boolean => DATA_FOLDER.test(name);

const DATA_FOLDER = new RegExp(`^${RANDOM}$`);

const quoted = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`);

/** Where a run's state is, from its plan. All begin with `s3://`; folders end with a slash. */
export interface StatePaths {
  /** `checkpoints.location` of the spec: other jobs may have theirs there too. */
  readonly root: string;
  /** Metadata of checkpoints of all attempts. */
  readonly metadata: string;
  readonly savepoints: string;
  /** The run's own folders in the job's: {@link metadata}, and what Kubernetes keeps a JobManager alive by; in the order of listings. */
  readonly own: readonly string[];
  /** Whether an object goes with the run: it is in one of {@link own}, or data of a checkpoint below whatever random letters. */
  readonly isOwn: (url: string) => boolean;
}

/** @throws Error for a plan of a batch job, or one with folders of another layout */
export function statePaths({ run, job, state }: StatePlan): StatePaths {
  const parts = state?.checkpoints.split(`/${MARKER}/`) ?? [];
  const [root = "", rest = ""] = parts;
  if (state === undefined || parts.length !== 2 || !rest.startsWith(`${job}/${run}/`)) {
    throw new Error(`the plan of ${run} does not say where checkpoints are`);
  }
  const folder = `${job}/${run}/`;
  const own = [`${root}/${job}/high-availability/${run}/`, `${root}/${folder}`].sort();
  const data = new RegExp(`^${quoted(`${root}/`)}${RANDOM}/${quoted(folder)}`);
  return {
    root: `${root}/`,
    metadata: `${root}/${folder}`,
    savepoints: `${state.savepoints}/`,
    own,
    isOwn: (url) => own.some((prefix) => url.startsWith(prefix)) || data.test(url),
  };
}

/** The folder of checkpoint `chk-N` in a metadata file's URL. */
export interface CheckpointName {
  readonly location: string;
  readonly attempt: number;
  readonly id: number;
}

/** Reads `…/<job>/<run>/<attempt>/<jobId>/chk-<N>/_metadata`; undefined for other files. */
export function checkpointName(url: string, metadata: string): CheckpointName | undefined {
  if (!url.startsWith(metadata)) return undefined;
  const match = /^(\d+)\/[0-9a-f]{32}\/chk-(\d+)\/_metadata$/.exec(url.slice(metadata.length));
  return match === null
    ? undefined
    : {
        location: url.slice(0, -"/_metadata".length),
        attempt: Number(match[1]),
        id: Number(match[2]),
      };
}

/**
 * Where the checkpoints are of the run that left one: of an earlier run of the plan's job, at the plan's own location. Undefined for a
 * savepoint, and for a checkpoint of the run itself, of another job or of another place.
 * @param checkpoint The folder `…/chk-N`.
 */
export function planThatLeft(plan: StatePlan, checkpoint: string): StatePlan | undefined {
  const { root, metadata } = statePaths(plan);
  const name = /^([^/]+)\/([^/]+)\/\d+\/[0-9a-f]{32}\/chk-\d+$/.exec(checkpoint.slice(root.length));
  const [, job, run] = name ?? [];
  if (!checkpoint.startsWith(root) || checkpoint.startsWith(metadata)) return undefined;
  if (job !== plan.job || run === undefined || plan.state === undefined) return undefined;
  const checkpoints = plan.state.checkpoints.replace(`/${job}/${plan.run}/`, `/${job}/${run}/`);
  return { ...plan, run, state: { ...plan.state, checkpoints } };
}

/** Flink names a savepoint by the first six digits of the job's id and twelve random ones. */
export const isSavepointOf = (url: string, savepoints: string, jobId: string): boolean =>
  url.startsWith(`${savepoints}savepoint-${jobId.slice(0, 6)}-`) && url.endsWith("/_metadata");

/** Name of a file that only a complete checkpoint or savepoint has. */
export const METADATA = "/_metadata";
