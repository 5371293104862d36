import { healthOf } from "../host/http.ts";
import { runningRecord } from "../host/supervise.ts";
import type { LabStatus, PartStatus } from "../parts.ts";
import type { LabPaths } from "../paths.ts";
import { LAB } from "../settings.ts";
import { NODE_CONTAINER } from "./config.ts";
import { engineOf } from "./down.ts";
import { kindSupervision, kubectl, nodeState } from "./engine.ts";

/** The state of a lab in kind: its node's container, what the cluster says of the node, and the S3 server. */
export async function kindStatus(paths: LabPaths): Promise<LabStatus> {
  const engine = engineOf(paths);
  const state = await nodeState(engine);
  const container = partOf(NODE_CONTAINER, state === "running" ? undefined : state);
  const node = partOf("node", state === "running" ? await nodeProblem(engine) : "not running");
  const record = runningRecord(kindSupervision(paths), "s3");
  const s3Problem =
    record === undefined ? "not running" : await healthOf(`http://127.0.0.1:${LAB.ports.s3}/health`);
  const s3: PartStatus = {
    ...partOf("s3", s3Problem),
    pid: record?.pid,
    since: record?.startedAt,
    log: `${paths.logs}/s3.log`,
  };
  const parts = [container, node, s3];
  const working = parts.filter(({ healthy }) => healthy).length;
  const stopped = state !== "running" && record === undefined;
  return {
    kind: "kind",
    state: working === parts.length ? "up" : stopped ? "down" : "degraded",
    parts,
    leftovers: undefined,
  };
}

const partOf = (name: string, problem: string | undefined): PartStatus => ({
  name,
  pid: undefined,
  healthy: problem === undefined,
  since: undefined,
  problem,
  log: undefined,
});

async function nodeProblem(engine: "docker" | "podman"): Promise<string | undefined> {
  try {
    await kubectl(engine, "wait", "--for=condition=Ready", "node", "--all", "--timeout=1s");
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
