// The pods of the bench's job as the API server shows them, seen by somebody who is not Mayfly.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { labEnvironment } from "../../lab/pods.ts";

/** Times in milliseconds since 1970, when the watch told of it. */
export interface SeenPod {
  readonly namespace: string;
  readonly name: string;
  readonly appeared: number;
  /** A container of it was running, or had been. */
  started: number | undefined;
}

export interface PodWatch {
  readonly pods: () => readonly SeenPod[];
  readonly stop: () => void;
}

const FIELDS = "{.metadata.uid} {.metadata.namespace} {.metadata.name} {.status.containerStatuses[*].state}";

/** Watches from now on. */
export function watchPods(job: string): PodWatch {
  const seen = new Map<string, SeenPod>();
  const args = ["get", "pods", "-A", "-l", `mayfly.dev/job=${job}`, "-w", "-o", `jsonpath=${FIELDS}{"\\n"}`];
  const child = spawn("kubectl", args, { env: labEnvironment(), stdio: ["ignore", "pipe", "inherit"] });
  createInterface({ input: child.stdout }).on("line", (line) => {
    const [uid = "", namespace = "", name = "", ...states] = line.split(" ");
    if (uid === "") return;
    const pod = seen.get(uid) ?? { namespace, name, appeared: Date.now(), started: undefined };
    seen.set(uid, pod);
    if (/"(running|terminated)"/.test(states.join(" "))) pod.started ??= Date.now();
  });
  return { pods: () => [...seen.values()], stop: () => void child.kill() };
}
