import { rm } from "node:fs/promises";
import { step } from "../../base/progress.ts";
import { readIfThere } from "../host/files.ts";
import { run } from "../host/run.ts";
import { stopUnit } from "../host/supervise.ts";
import type { LabPaths } from "../paths.ts";
import { CLUSTER, NODE_CONTAINER } from "./config.ts";
import { type Engine, kindEnv, kindSupervision, nodeState, provideKind } from "./engine.ts";

export const engineOf = (paths: LabPaths): Engine =>
  readIfThere(paths.kindMarker)?.trim() === "podman" ? "podman" : "docker";

/** Stops the node's container and the S3 server. The container stays for the next `lab up`, unless `purge`. */
export async function kindDown(paths: LabPaths, purge: boolean): Promise<void> {
  const engine = engineOf(paths);
  await step("lab down", async () => {
    await stopUnit(kindSupervision(paths), "s3", 4000);
    if (purge) {
      await run(await provideKind(), ["delete", "cluster", "--name", CLUSTER], { env: kindEnv(engine) });
      await rm(paths.kindMarker, { force: true });
    } else if ((await nodeState(engine)) === "running") {
      await run(engine, ["stop", NODE_CONTAINER]);
    }
  });
}
