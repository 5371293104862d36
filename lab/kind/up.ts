import { z } from "zod";
import { EXIT, UserError } from "../../base/errors.ts";
import { step } from "../../base/progress.ts";
import type { Connection } from "../../schema/connection.ts";
import type { ImageArchive } from "../cluster/images.ts";
import { ensureBuckets, ensureCredentials } from "../cluster/s3.ts";
import { s3Unit } from "../cluster/units.ts";
import { connectionOf } from "../connection.ts";
import { readIfThere, writeIfChanged } from "../host/files.ts";
import { findProgram } from "../host/requirements.ts";
import { run } from "../host/run.ts";
import { ensureUnits } from "../host/supervise.ts";
import { labImages } from "../images.ts";
import type { LabPaths } from "../paths.ts";
import { ensurePulumi } from "../pulumi.ts";
import { provideTools } from "../tools/index.ts";
import { CALICO_MANIFEST, CLUSTER, kindConfig, NODE_CONTAINER } from "./config.ts";
import {
  type Engine,
  hostAddress,
  kindEnv,
  kindSupervision,
  kubectl,
  nodeState,
  provideKind,
  s3Endpoint,
} from "./engine.ts";

/** Brings a kind cluster, Calico in it and the S3 server beside it up, or what of them is missing. */
export async function kindUp(
  paths: LabPaths,
  engine: Engine,
  options: { readonly refresh?: boolean | undefined },
): Promise<{ connection: Connection; started: string[] }> {
  if (process.platform !== "linux") {
    throw new UserError(
      "kind-needs-linux",
      "The lab with kind needs Linux: its S3 server must be reachable by one address from this machine and from pods.",
      {
        exitCode: EXIT.unavailable,
        hint: "Run Mayfly in a Linux virtual machine.",
      },
    );
  }
  const tools = await provideTools(["pulumi", "store"], { refresh: options.refresh === true });
  const kind = await step(`kind`, provideKind);
  await writeIfChanged(paths.kindMarker, `${engine}\n`);
  const started: string[] = [];
  if (await step("node", async () => await ensureNode(paths, engine, kind))) started.push(NODE_CONTAINER);
  await step("Calico", async (report) => {
    await kubectl(engine, "apply", "--server-side", "--force-conflicts", "-f", CALICO_MANIFEST);
    report("waiting for the node");
    await kubectl(engine, "wait", "--for=condition=Ready", "node", "--all", "--timeout=300s");
    await kubectl(engine, ...ROLLOUT, "daemonset/calico-node");
    await kubectl(engine, ...ROLLOUT, "deployment/coredns");
  });
  const address = await hostAddress(engine);
  const credentials = await ensureCredentials(paths);
  await step("S3", async () => {
    const units = [s3Unit(paths, tools.versitygw, ["127.0.0.1", address])];
    await ensureUnits(kindSupervision(paths), units, (name, change) => {
      if (change !== "kept") started.push(name);
    });
    await ensureBuckets(paths, s3Endpoint(address), credentials);
  });
  await ensurePulumi(paths, tools.kubernetesPlugin);
  const images = await labImages(engine);
  await step("images in the node", async () => {
    await loadImages(paths, engine, kind, images);
  });
  const s3 = s3Endpoint(address);
  return {
    connection: connectionOf(paths, { ...tools, kubectl: findProgram("kubectl"), s3Endpoint: s3 }),
    started,
  };
}

const ROLLOUT = ["--namespace", "kube-system", "rollout", "status", "--timeout=300s"] as const;

/** @returns Whether the node had to be made or started. */
async function ensureNode(paths: LabPaths, engine: Engine, kind: string): Promise<boolean> {
  const state = await nodeState(engine);
  const env = kindEnv(engine);
  if (state === "absent") {
    const args = ["create", "cluster", "--config", "-", "--kubeconfig", paths.kubeconfig];
    await run(kind, args, { env, input: kindConfig() });
    await writeIfChanged(loadedFile(paths), "{}");
    return true;
  }
  if (state === "stopped") await run(engine, ["start", NODE_CONTAINER]);
  // The engine may have given the API server another port on this host.
  await run(kind, ["export", "kubeconfig", "--name", CLUSTER, "--kubeconfig", paths.kubeconfig], { env });
  return state === "stopped";
}

/** Image name to digest. */
const Loaded = z.record(z.string(), z.string());

const loadedFile = (paths: LabPaths): string => `${paths.kindMarker}-images.json`;

/** Loads further images into a cluster that is up. */
export async function addImages(
  paths: LabPaths,
  engine: Engine,
  images: readonly ImageArchive[],
): Promise<void> {
  await loadImages(paths, engine, await provideKind(), images);
}

/** Loads the images that this cluster has not got yet; which ones it has is noted beside the marker. */
async function loadImages(
  paths: LabPaths,
  engine: Engine,
  kind: string,
  images: readonly ImageArchive[],
): Promise<void> {
  const loaded = Loaded.parse(JSON.parse(readIfThere(loadedFile(paths)) ?? "{}"));
  for (const { name, digest, archive } of images) {
    if (loaded[name] === digest) continue;
    process.stderr.write(`Loading ${name} into the node\n`);
    await run(kind, ["load", "image-archive", archive, "--name", CLUSTER], { env: kindEnv(engine) });
    loaded[name] = digest;
  }
  await writeIfChanged(loadedFile(paths), JSON.stringify(loaded));
}
