// What the cluster itself spends: CPU time of the lab's parts, and requests that its API server answered.
import { readFileSync } from "node:fs";
import { execute } from "../../../base/process.ts";
import { labStatus } from "../../../lab/index.ts";
import { LAB } from "../../../lab/settings.ts";
import { labEnvironment } from "../../lab/pods.ts";
import { labGroupCpu } from "./groups.ts";

/** Parts of the lab whose CPU time is told together. */
const PARTS: Readonly<Record<string, readonly string[]>> = {
  "API server, etcd": ["apiserver", "etcd"],
  "controllers, scheduler": ["controller-manager", "scheduler"],
  "kubelet, containerd": ["kubelet"],
  "network (Felix, kube-proxy)": ["felix", "kube-proxy"],
};
/** Ticks of /proc/PID/stat in a second: `getconf CLK_TCK` is 100 on every Linux of today. */
const TICKS = 100;

/** CPU-seconds by part, all counted from the parts' own starts. Pods count the containers of all who use the lab. */
export async function clusterCpu(): Promise<ReadonlyMap<string, number>> {
  const { parts } = await labStatus();
  const pids = new Map(parts.map(({ name, pid }) => [name, pid]));
  const used = new Map<string, number>();
  for (const [name, members] of Object.entries(PARTS)) {
    const seconds = members.map((member) => processCpu(pids.get(member)));
    used.set(
      name,
      seconds.reduce((sum, one) => sum + one, 0),
    );
  }
  const containerd = labGroupCpu(LAB.cgroup, "containerd");
  used.set("kubelet, containerd", (used.get("kubelet, containerd") ?? 0) + containerd);
  used.set("pods", labGroupCpu(LAB.cgroup, "kubepods"));
  return used;
}

/** CPU-seconds of a process, with those of children that it has waited for unless `self` is asked for. */
export function processCpu(pid: number | undefined, of: "self" | "family" = "family"): number {
  if (pid === undefined) return 0;
  try {
    // The command's name, in parentheses, may hold spaces; utime, stime, cutime, cstime are the 12th to 15th field after it.
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
    return fields.slice(11, of === "self" ? 13 : 15).reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS;
  } catch {
    return 0; // it ended
  }
}

/** Requests that the API server has answered since it started, watches when they ended. */
export async function apiRequests(): Promise<number> {
  const { code, stdout, stderr } = await execute("kubectl", ["get", "--raw", "/metrics"], {
    env: labEnvironment(),
  });
  if (code !== 0) throw new Error(`the API server's metrics can't be read: ${stderr}`);
  let sum = 0;
  for (const [, value] of stdout.matchAll(/^apiserver_request_total\{.*\} (\S+)$/gm)) sum += Number(value);
  return sum;
}

/** CPU-seconds that this machine has spent on anything. */
export function machineCpu(): number {
  const [, user = "0", nice = "0", system = "0", , , irq = "0", softirq = "0"] =
    readFileSync("/proc/stat", "utf8").split("\n")[0]?.trim().split(/\s+/) ?? [];
  return [user, nice, system, irq, softirq].reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS;
}
