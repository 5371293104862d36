import { readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { EXIT, UserError } from "../../base/errors.ts";
import { step } from "../../base/progress.ts";
import { provideWorkerImage } from "../../images/index.ts";
import type { Connection } from "../../schema/connection.ts";
import { importImages } from "../cluster/images.ts";
import { credentialsText, parseCredentials } from "../cluster/s3.ts";
import { putSecret } from "../environment/secrets.ts";
import { readIfThere, writeIfChanged } from "../host/files.ts";
import { ensurePostgres } from "../host/postgres.ts";
import { run } from "../host/run.ts";
import { ensureUnits, type Supervision, stopUnit, type UnitChange } from "../host/supervise.ts";
import type { LabPaths } from "../paths.ts";
import type { ToolsFor } from "../tools/types.ts";
import { WORKER, type Workers, workerConfig, workerProfile, workersConnection } from "./config.ts";
import { ledgerUnit } from "./ledger.ts";

const Marker = z.strictObject({ image: z.string(), replicas: z.int(), slots: z.int() });

/** How many workers somebody asks for: `replicas` 0 removes them. */
export interface WorkersWish {
  readonly replicas: number;
  readonly slots: number;
}

/** The workers that were asked for at some time; undefined where there are none. */
export function knownWorkers(paths: LabPaths): Workers | undefined {
  const text = readIfThere(paths.workers);
  return text === undefined ? undefined : Marker.parse(JSON.parse(text));
}

/** What the lab has ready for its workers, before the environment is brought up with them. */
export interface PreparedWorkers {
  /** The value of `mayfly:worker` in the stack's config; undefined for no workers. */
  readonly config: object | undefined;
  readonly changes: ReadonlyMap<string, UnitChange>;
}

/**
 * Makes ready what workers in the cluster need beside it: the shared ledger and, where somebody asks for workers, the image of today's
 * sources. Without a wish the image stays as it was: the plain `lab up` neither builds nor replaces anything of them.
 */
export async function prepareWorkers(
  paths: LabPaths,
  supervision: Supervision,
  tools: ToolsFor<"pulumi">,
  connection: Connection,
  wish: WorkersWish | undefined,
): Promise<PreparedWorkers> {
  if (wish?.replicas === 0) await rm(paths.workers, { force: true });
  const workers = wish === undefined || wish.replicas === 0 ? knownWorkers(paths) : await wished(tools, wish);
  if (workers === undefined) return { config: undefined, changes: new Map() };
  const changes = await step("Postgres, the workers' ledger", async (report) => {
    const bin = await ensurePostgres(report);
    return await ensureUnits(supervision, [await ledgerUnit(paths, bin)], (name, change) => {
      report(`${name} ${change}`);
    });
  });
  const shared = workersConnection(connection);
  await writeIfChanged(paths.workersConnection, `${JSON.stringify(shared, undefined, 2)}\n`);
  await writeIfChanged(paths.workers, `${JSON.stringify(workers, undefined, 2)}\n`);
  return { config: workerConfig(workers, connection, authority(paths)), changes };
}

async function wished(tools: ToolsFor<"pulumi">, { replicas, slots }: WorkersWish): Promise<Workers> {
  const pulumi = join(tools.pulumi.bin, "pulumi");
  const image = await provideWorkerImage({ pulumi, kubernetesPlugin: tools.kubernetesPlugin });
  await step("worker's image in containerd", async () => await importImages([image]));
  return { image: image.name, replicas, slots };
}

const authority = (paths: LabPaths): string => readFileSync(join(paths.certificates, "ca.crt"), "utf8");

/** Once nobody needs it: the ledger's data stays. */
export async function stopLedger(supervision: Supervision): Promise<void> {
  await stopUnit(supervision, "postgres", LEDGER_GRACE_MS);
}

const LEDGER_GRACE_MS = 5000;

/**
 * After the environment is up: gives the workers their secrets, which no state knows, and waits until all of them work.
 * @throws UserError `workers-not-ready`
 */
export async function finishWorkers(
  paths: LabPaths,
  connection: Connection,
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const profiles = parseCredentials(readFileSync(paths.s3Credentials, "utf8"));
  const identity = profiles.get(workerProfile.of);
  if (identity === undefined) throw new Error(`no credentials for ${workerProfile.of}`);
  await step("workers", async (report) => {
    await putSecret(
      { namespace: WORKER.namespace, name: WORKER.secret, labels: {} },
      {
        pgpass: readFileSync(paths.ledgerPassword, "utf8"),
        passphrase: readFileSync(connection.pulumi.passphraseFile, "utf8"),
        "s3-credentials": credentialsText({ [workerProfile.name]: identity }),
      },
      env,
    );
    report("waiting until all of them work");
    const of = ["--namespace", WORKER.namespace, `deployment/${WORKER.deployment}`];
    try {
      await run("kubectl", ["rollout", "status", "--timeout=180s", ...of], { env });
    } catch (cause) {
      throw new UserError("workers-not-ready", "The workers in the cluster did not get ready.", {
        exitCode: EXIT.unavailable,
        hint: `kubectl describe pods --namespace ${WORKER.namespace}; kubectl logs --namespace ${WORKER.namespace} deployment/${WORKER.deployment}`,
        cause,
      });
    }
  });
}
