import { existsSync, readdirSync } from "node:fs";
import type { Report } from "../../base/progress.ts";
import { Cri } from "../host/cri.ts";
import { runningRecord, stopUnit } from "../host/supervise.ts";
import { removeLeftovers } from "../leftovers.ts";
import { type LabPaths, RUN } from "../paths.ts";
import { supervisionOf } from "./up.ts";

const GRACE_MS = 4000;
const SANDBOX_MS = 8000;

/**
 * Stops all daemons and pods, and removes what they left on the host. First in order, so that pods' networks are taken
 * down by the plugins that made them; whatever of that fails (a part may have been killed before) the sweep finishes.
 */
export async function clusterDown(paths: LabPaths, report: Report): Promise<void> {
  const supervision = supervisionOf(paths);
  const stop = async (...names: readonly string[]): Promise<void> => {
    await Promise.all(
      names.map(async (name) => {
        await stopUnit(supervision, name, GRACE_MS);
      }),
    );
  };
  report("kubelet and controllers");
  await stop("kubelet", "controller-manager", "scheduler");
  if (runningRecord(supervision, "containerd") !== undefined && existsSync(RUN.containerdSocket)) {
    report("pods");
    await removePods();
  }
  report("daemons");
  await stop("felix", "kube-proxy", "coredns", "metrics-server", "s3", "apiserver", "containerd");
  const known = existsSync(RUN.units)
    ? readdirSync(RUN.units).map((file) => file.replace(/\.json$/, ""))
    : [];
  await stop("etcd", ...known);
  report("mounts, interfaces, firewall, cgroups");
  await removeLeftovers(paths);
}

/** Kills and forgets every pod. Those that resist are left to the sweep. */
async function removePods(): Promise<void> {
  const cri = new Cri(RUN.containerdSocket);
  try {
    const ids = await cri.sandboxes();
    // containerd works on one at a time per lock; a few at once keep two cores busy.
    const queue = [...ids];
    const worker = async (): Promise<void> => {
      for (let id = queue.shift(); id !== undefined; id = queue.shift()) {
        await cri.removeSandbox(id, SANDBOX_MS).catch(() => undefined);
      }
    };
    await Promise.all(Array.from({ length: 6 }, worker));
  } catch {
    // containerd does not answer: killed below, and its mounts, namespaces and cgroups are swept.
  } finally {
    cri.close();
  }
}
