import type { FlinkJob } from "../../../schema/job.ts";
import { TEMPORARY_MIB } from "../disk.ts";
import type { EnginePods, SpecWords } from "../engine.ts";
import { refuse } from "../refusal.ts";
import { foreignBuckets, webIdentity } from "../s3.ts";
import { copiedSecrets } from "../variables.ts";
import { checkConf } from "./conf.ts";
import { flinkScratch, flinkSizes, jobManagerContainer, taskManagerContainer } from "./containers.ts";
import type { FlinkContext } from "./context.ts";
import { checkEnvironment } from "./environment.ts";
import { checkValues, configFile, configText } from "./files.ts";
import { highAvailability } from "./high-availability.ts";
import { COORDINATOR, MOUNTS, WORKERS } from "./layout.ts";
import { log4jFile } from "./log4j.ts";
import { inputFiles, s3SecretFiles, stateUrls, usesS3 } from "./s3.ts";
import { startScript } from "./scripts.ts";
import { settings } from "./settings.ts";
import { COORDINATOR_GRACE, WORKER_GRACE } from "./sizes.ts";
import { flinkJobId, restoreOf, stateFolders } from "./state.ts";

const WORDS: SpecWords = {
  coordinator: { path: "jobManager", fields: "jobManager.memory, jobManager.cpu or scratch.size" },
  workers: {
    path: "taskManagers",
    fields: "taskManagers.memory, taskManagers.cpu or scratch.size (more, smaller TaskManagers)",
    many: "taskManagers.count",
  },
};

/** The images of before have other names for settings. */
function checkVersion(version: string): void {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > 1 || minor >= 20) return;
  refuse({
    code: "flink-version-unsupported",
    message: `Flink ${version} is not supported.`,
    path: "version",
    hint: "Use 1.20 or later.",
  });
}

function checkApplication({ application, image }: FlinkJob): void {
  if (application.kind === "jar" || image !== undefined) return;
  refuse({
    code: "python-needs-image",
    message: "Mayfly's own Flink images have no PyFlink yet.",
    path: "application.kind",
    hint: "Build an image from the environment's own with apache-flink of the same version installed, and name it in `image`.",
  });
}

function checkState(spec: FlinkJob): void {
  if (spec.kind !== "stream" || !spec.checkpoints.location.includes("_entropy_")) return;
  refuse({
    code: "reserved-location",
    message: "checkpoints.location has _entropy_ in its name, which Mayfly adds itself.",
    path: "checkpoints.location",
    hint: "Leave it out.",
  });
}

/** Checks of a job that need no environment. */
export const flinkChecks = (spec: FlinkJob): (() => unknown)[] => [
  ...Object.entries(spec.conf).map(([key, value]) => () => {
    checkConf({ [key]: value });
  }),
  () => {
    checkEnvironment(spec);
  },
  () => {
    checkVersion(spec.version);
  },
  () => {
    checkValues(spec.version, spec.conf);
  },
  () => {
    checkApplication(spec);
  },
  () => {
    checkState(spec);
  },
  () => flinkSizes(spec),
];

/** Sizes, settings and commands of the JobManager and the TaskManagers. */
export function planFlink(context: FlinkContext): EnginePods {
  const { spec, version, tenant, identity } = context;
  checkVersion(version);
  checkConf(spec.conf);
  checkValues(version, spec.conf);
  checkEnvironment(spec);
  checkApplication(spec);
  checkState(spec);
  const sizes = flinkSizes(spec);
  const scratch = flinkScratch(spec);
  const jobId = flinkJobId(spec.tenant, spec.name, identity);
  const folders = spec.kind === "stream" ? stateFolders(spec, identity) : undefined;
  const restore = restoreOf(spec, identity.restore);
  const state = { jobId, ...(restore === undefined ? {} : { restore }) };
  const available = highAvailability(context);
  const s3Files = usesS3(spec) ? s3SecretFiles(tenant) : undefined;
  return {
    own: {
      engine: "flink",
      kind: spec.kind,
      ...state,
      parallelism: sizes.parallelism,
      ...(folders === undefined ? {} : { state: folders }),
      ...(available === undefined ? {} : { highAvailability: available.own }),
    },
    sidecars: [],
    driver: jobManagerContainer(context, sizes, state),
    worker: taskManagerContainer(context, sizes),
    count: spec.taskManagers.count,
    coordinator: {
      name: COORDINATOR,
      scratch: scratch.jobManager,
      temporary: TEMPORARY_MIB,
      gracePeriod: COORDINATOR_GRACE,
    },
    workers: {
      name: WORKERS,
      scratch: scratch.taskManager,
      temporary: TEMPORARY_MIB,
      gracePeriod: WORKER_GRACE,
      // Each loss restarts the whole job; a batch job's only its own tasks.
      ...(spec.kind === "stream" ? { evictable: 1 } : {}),
    },
    ...(available === undefined ? {} : { kubernetes: available.kubernetes }),
    mounts: {
      config: MOUNTS.config,
      authentication: MOUNTS.authentication,
      scratch: MOUNTS.scratch,
      temporary: MOUNTS.temporary,
    },
    files: {
      "start.sh": startScript(s3Files !== undefined),
      [configFile(version)]: configText(
        version,
        settings(context, { ...sizes, folders, highAvailability: available?.settings ?? {} }),
      ),
      "log4j2.properties": log4jFile(),
    },
    secrets: copiedSecrets(
      [...spec.secrets.map(({ secret }) => secret), ...(s3Files === undefined ? [] : [s3Files.secret])],
      tenant,
    ),
    inputs: inputFiles(spec),
    output: { locations: spec.output.locations },
    webIdentity: usesS3(spec) ? webIdentity(tenant, MOUNTS.webIdentity) : undefined,
    notes: foreignBuckets([...inputFiles(spec), ...stateUrls(spec), ...spec.output.locations], tenant),
    words: WORDS,
  };
}
