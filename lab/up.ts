import { mkdir } from "node:fs/promises";
import { EXIT, UserError } from "../base/errors.ts";
import { formatElapsed, step } from "../base/progress.ts";
import { missingImagePackages } from "../images/index.ts";
import type { Connection } from "../schema/connection.ts";
import { chooseKind, hostState } from "./choose.ts";
import { importImages } from "./cluster/images.ts";
import { ensureBuckets, ensureCredentials, S3_URL } from "./cluster/s3.ts";
import { clusterUp, prepareHost, supervisionOf } from "./cluster/up.ts";
import { connectionOf } from "./connection.ts";
import { applyEnvironment, labVariables } from "./environment.ts";
import { publishExampleInput } from "./example-input.ts";
import { publishExampleJars } from "./example-jars.ts";
import { publishExamples } from "./examples.ts";
import { writeIfChanged } from "./host/files.ts";
import { withLock } from "./host/lock.ts";
import { portsInUse } from "./host/network.ts";
import { ensurePackages } from "./host/packages.ts";
import { missingPackages } from "./host/requirements.ts";
import { labImages } from "./images.ts";
import { kindUp } from "./kind/up.ts";
import { isOfLab, leftovers, removeLeftovers, runningOwner } from "./leftovers.ts";
import { type LabPaths, labPaths, RUN } from "./paths.ts";
import { ensurePulumi } from "./pulumi.ts";
import { say } from "./say.ts";
import { LAB } from "./settings.ts";
import { provideTools } from "./tools/index.ts";
import { finishWorkers, prepareWorkers, stopLedger, type WorkersWish } from "./worker/up.ts";

/** What `lab up` did. */
export interface LabUp {
  readonly connection: Connection;
  /** Daemons that were started or restarted; none if all was up. */
  readonly started: readonly string[];
  readonly elapsedMs: number;
}

/** How {@link labUp} works. */
export interface LabUpOptions {
  /** Look again for official downloads instead of using the remembered answer. */
  readonly refresh?: boolean | undefined;
  /** Bring the environment project up too; default true. */
  readonly environment?: boolean | undefined;
  /** Workers in the cluster; by default those of before, if any. */
  readonly workers?: WorkersWish | undefined;
}

/**
 * Brings the lab up, or whatever of it is missing: safe to run at any time, any number of times, and two at once.
 * Progress goes to standard error.
 * @throws UserError when the machine lacks something or a daemon does not start.
 */
export async function labUp(options: LabUpOptions = {}): Promise<LabUp> {
  const begun = performance.now();
  const paths = labPaths();
  const choice = chooseKind(await hostState());
  const { connection, started } = await withLock(
    "lab",
    () => {
      say("Waiting for another 'mayfly lab' to finish.");
    },
    async () => {
      await mkdir(paths.root, { recursive: true, mode: 0o700 });
      if (choice.kind === "kind" && options.workers !== undefined) throw noWorkers();
      const { worker, ...result } =
        choice.kind === "kind"
          ? { ...(await kindUp(paths, choice.engine, options)), worker: undefined }
          : await processesUp(paths, options);
      await writeIfChanged(paths.connection, `${JSON.stringify(result.connection, undefined, 2)}\n`);
      if (options.environment !== false) {
        await applyEnvironment(result.connection, worker);
        if (worker !== undefined)
          await finishWorkers(paths, result.connection, labVariables(result.connection));
        else if (options.workers?.replicas === 0) await stopLedger(supervisionOf(paths));
      }
      await publishExamples(paths);
      await publishExampleJars(paths);
      await publishExampleInput(paths);
      return result;
    },
  );
  const elapsedMs = performance.now() - begun;
  say(
    started.length === 0
      ? `The lab is up, nothing to do (${formatElapsed(elapsedMs)}).`
      : `The lab is up (${formatElapsed(elapsedMs)}), started: ${started.join(", ")}.\nFor kubectl and pulumi by hand: eval "$(npx mayfly lab env)"`,
  );
  return { connection, started, elapsedMs };
}

async function processesUp(
  paths: LabPaths,
  options: LabUpOptions,
): Promise<{ connection: Connection; started: string[]; worker: object | undefined }> {
  await checkHost(paths);
  await step("host programs", async (report) => {
    await ensurePackages([...missingPackages(), ...missingImagePackages()], report);
  });
  const tools = await provideTools(["pulumi", "store", "cluster"], { refresh: options.refresh === true });
  await mkdir(RUN.dir, { recursive: true, mode: 0o700 });
  await writeIfChanged(RUN.owner, `${paths.root}\n`);
  const [credentials] = await Promise.all([
    ensureCredentials(paths),
    step("bridge, cgroups, certificates", async () => {
      await prepareHost(paths, tools);
    }),
    ensurePulumi(paths, tools.kubernetesPlugin),
  ]);
  const changes = await clusterUp(paths, tools);
  await step("S3 buckets", async () => await ensureBuckets(paths, S3_URL, credentials));
  const images = await labImages();
  await step("images in containerd", async () => await importImages(images));
  const connection = connectionOf(paths, { ...tools, s3Endpoint: S3_URL });
  const workers = await prepareWorkers(paths, supervisionOf(paths), tools, connection, options.workers);
  const started = [...changes, ...workers.changes].flatMap(([name, change]) =>
    change === "kept" ? [] : [name],
  );
  return { connection, started, worker: workers.config };
}

const noWorkers = (): UserError =>
  new UserError("workers-need-processes", "Workers in the cluster need the lab of processes, not kind.", {
    exitCode: EXIT.unavailable,
    hint: "On Linux as root and without Docker the lab runs as processes. With kind: build images/worker/Dockerfile, and see docs/worker-in-cluster.md.",
  });

/**
 * Refuses to mix with another lab, or with another Kubernetes on this host.
 * @throws UserError `lab-elsewhere`, `ports-in-use`, `kubernetes-present`.
 */
async function checkHost(paths: LabPaths): Promise<void> {
  const owner = runningOwner();
  if (owner !== undefined && owner !== paths.root) {
    throw new UserError("lab-elsewhere", "Another lab runs on this machine.", {
      path: owner,
      exitCode: EXIT.unavailable,
      hint: "Run 'npx mayfly lab down' first; it stops that one. Or set XDG_STATE_HOME to use it.",
    });
  }
  if (owner !== undefined) return;
  const left = await leftovers(paths);
  if (!isOfLab(left) && left.firewall.length > 0) {
    throw new UserError(
      "kubernetes-present",
      "Another Kubernetes or Calico has rules in this host's firewall; the lab would mix with it.",
      {
        exitCode: EXIT.unavailable,
        hint: `For instance '${left.firewall[0] ?? ""}'. Use a machine without it, or Docker.`,
      },
    );
  }
  if (isOfLab(left)) {
    await step("remove what is left of an earlier lab", async () => {
      await removeLeftovers(paths);
    });
  }
  const used = portsInUse();
  const busy = Object.entries(LAB.ports).filter(([, port]) => used.has(port));
  if (busy.length === 0) return;
  throw new UserError(
    "ports-in-use",
    `Ports that the lab needs are in use: ${busy.map(([name, port]) => `${port} (${name})`).join(", ")}`,
    {
      exitCode: EXIT.unavailable,
      hint: `See who has them with 'ss --listening --tcp --processes', and stop that program.`,
    },
  );
}
