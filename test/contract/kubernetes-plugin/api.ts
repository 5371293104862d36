import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { onTestFinished } from "vitest";
import { stateDir } from "../../../base/paths.ts";
import { connect } from "../../../lab/kubernetes-plugin/connection.ts";
import { createHttp, type Http } from "../../../lab/kubernetes-plugin/http.ts";
import { isRecord, type Json, type JsonRecord, listAt, textAt } from "../../../lab/kubernetes-plugin/json.ts";

export const KUBECONFIG = process.env["KUBECONFIG"] ?? join(stateDir(), "lab", "kubeconfig");

/** The first step of anything a test makes, so that left-overs can be told and deleted. */
export const PREFIX = "plugin-contract";

let http: Promise<Http> | undefined;
const api = (): Promise<Http> => {
  http ??= connect(KUBECONFIG, {}).then((connection) => createHttp(connection));
  return http;
};

/** The server's answer to a GET; undefined where there is nothing. */
export async function get(path: string): Promise<JsonRecord | undefined> {
  const { body } = await (await api()).call({ method: "GET", path }).catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === 404) return { body: undefined };
    throw error;
  });
  return isRecord(body) ? body : undefined;
}

/** Creates an object as some other tool would. */
export async function post(path: string, body: Json): Promise<void> {
  await (await api()).call({ method: "POST", path, body, query: { fieldManager: "somebody-else" } });
}

/** Changes an object as some other tool would. */
export async function mergePatch(path: string, body: Json): Promise<void> {
  await (await api()).call({
    method: "PATCH",
    path,
    body,
    contentType: "application/merge-patch+json",
    query: { fieldManager: "somebody-else" },
  });
}

/** Owns fields of an object by server-side apply, as some other tool would. */
export async function applyAs(manager: string, path: string, body: Json): Promise<void> {
  await (await api()).call({
    method: "PATCH",
    path,
    body,
    contentType: "application/apply-patch+yaml",
    query: { fieldManager: manager, force: "true" },
  });
}

export async function remove(path: string): Promise<void> {
  await (await api())
    .call({ method: "DELETE", path, query: { propagationPolicy: "Background" } })
    .catch(() => {
      // Clean-up of what may be gone already.
    });
}

/** A namespace of the test's own; deleted, without waiting, when the test is over. */
export async function namespace(): Promise<string> {
  const name = `${PREFIX}-${randomBytes(4).toString("hex")}`;
  await post("/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name } });
  onTestFinished(async () => {
    await remove(`/api/v1/namespaces/${name}`);
  });
  return name;
}

/** Tries `probe` every 50 ms until it gives something. */
export async function eventually<T>(what: string, probe: () => Promise<T | undefined>): Promise<T> {
  for (let left = 400; left > 0; left--) {
    const found = await probe();
    if (found !== undefined) return found;
    await sleep(50);
  }
  throw new Error(`did not happen within 20 s: ${what}`);
}

/**
 * Does a kubelet's work by hand: gives each pod of a namespace the status that `status` returns for it, so that the
 * suite needs neither images nor a node. Pods of the tests name a scheduler that doesn't exist.
 */
export async function setPodStatuses(
  namespaceName: string,
  count: number,
  status: JsonRecord,
): Promise<void> {
  const pods = await eventually(`${count} pods in ${namespaceName}`, async () => {
    const list = listAt(await get(`/api/v1/namespaces/${namespaceName}/pods`), "items");
    return list.length >= count ? list : undefined;
  });
  for (const pod of pods)
    await mergePatch(
      `/api/v1/namespaces/${namespaceName}/pods/${textAt(pod, "metadata", "name") ?? ""}/status`,
      { status },
    );
}

const condition = (type: string, status: string): Json => ({
  type,
  status,
  lastTransitionTime: "2026-01-01T00:00:00Z",
});

export const RUNNING: JsonRecord = {
  phase: "Running",
  conditions: ["PodScheduled", "Initialized", "ContainersReady", "Ready"].map((type) =>
    condition(type, "True"),
  ),
};
export const SUCCEEDED: JsonRecord = { phase: "Succeeded", conditions: [condition("PodScheduled", "True")] };
export const FAILED: JsonRecord = { phase: "Failed", conditions: [condition("PodScheduled", "True")] };

export const CONTAINER = { name: "main", image: "registry.example/nothing:1" };

/** A pod that nobody schedules or runs. */
export const POD = {
  schedulerName: "nobody",
  terminationGracePeriodSeconds: 0,
  containers: [CONTAINER],
};
