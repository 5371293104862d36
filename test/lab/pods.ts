import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { cacheDir } from "../../base/paths.ts";
import { childEnv, execute } from "../../base/process.ts";
import { importProgram } from "../../lab/cluster/images.ts";
import { readConnection } from "../../lab/connection.ts";
import { labPaths } from "../../lab/paths.ts";

export const IMAGE = "mayfly.dev/test/busybox:1";

/** Puts a static busybox of Debian's into the lab, for pods that look around. */
export async function importBusybox(): Promise<void> {
  const folder = join(cacheDir(), "test", "busybox");
  const program = join(folder, "bin", "busybox");
  if (!existsSync(program)) {
    mkdirSync(folder, { recursive: true });
    const line = "apt-get download --quiet busybox-static && dpkg-deb -x busybox-static_*.deb .";
    const { code, stderr } = await execute("/bin/sh", ["-c", line], { cwd: folder });
    if (code !== 0) throw new Error(`no busybox: ${stderr}`);
  }
  await importProgram(IMAGE, "busybox", program, folder);
}

/** Environment in which kubectl sees the lab. */
export function labEnvironment(): Record<string, string> {
  const connection = readConnection(labPaths());
  return childEnv({
    KUBECONFIG: connection.kubeconfig,
    PATH: [...connection.path, process.env["PATH"] ?? ""].join(":"),
  });
}

/** Runs kubectl; throws with what it said if it fails. */
export async function kubectl(args: readonly string[], input?: string): Promise<string> {
  const finished = await execute("kubectl", args, {
    env: labEnvironment(),
    ...(input === undefined ? {} : { input }),
  });
  if (finished.code !== 0) throw new Error(`kubectl ${args.join(" ")}: ${finished.stderr}`);
  return finished.stdout;
}

export const apply = async (...objects: readonly object[]): Promise<string> =>
  await kubectl(["apply", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }));

/** A pod that runs one line of shell and ends, under Pod Security `restricted`. */
export const shellPod = (namespace: string, name: string, line: string, labels = {}): object => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace, labels },
  spec: {
    restartPolicy: "Never",
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: 0,
    securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: "RuntimeDefault" } },
    containers: [
      {
        name: "shell",
        image: IMAGE,
        imagePullPolicy: "Never",
        command: ["/busybox", "sh", "-c", line],
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
      },
    ],
  },
});

/** What a pod of {@link imagePod} runs and gets. */
export interface ImagePod {
  readonly container: string;
  readonly image: string;
  /** For bash. */
  readonly script: string;
  readonly resources: object;
  /** Where each volume is mounted, and what it is. */
  readonly volumes: readonly { readonly name: string; readonly mountPath: string; readonly of: object }[];
}

/** A pod that tries one of Mayfly's images: under Pod Security `restricted`, nothing writable but its volumes, the user that the image names. */
export const imagePod = (
  namespace: string,
  name: string,
  { container, image, script, resources, volumes }: ImagePod,
): object => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace },
  spec: {
    restartPolicy: "Never",
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: 0,
    securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
    containers: [
      {
        name: container,
        image,
        imagePullPolicy: "Never",
        args: ["/bin/bash", "-c", script],
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ["ALL"] },
        },
        resources,
        volumeMounts: volumes.map(({ name: of, mountPath }) => ({ name: of, mountPath })),
      },
    ],
    volumes: volumes.map(({ name: of, of: source }) => ({ name: of, ...source })),
  },
});

/** Waits for a pod's end and returns its exit code and output. */
export async function outcome(
  namespace: string,
  name: string,
  seconds?: number,
): Promise<{ code: number; log: string }> {
  const ask = async (): Promise<number | undefined> => {
    const text = await kubectl([
      ...["get", "pod", name, "--namespace", namespace],
      ...["--output", "jsonpath={.status.containerStatuses[0].state.terminated.exitCode}"],
    ]);
    return text === "" ? undefined : Number(text);
  };
  const code = await eventually(`end of pod ${name}`, ask, seconds);
  return { code, log: await kubectl(["logs", name, "--namespace", namespace]) };
}

/** Asks every 0.2 s until there is an answer. */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | undefined>,
  seconds = 90,
): Promise<T> {
  const deadline = performance.now() + seconds * 1000;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > deadline) throw new Error(`no ${what} within ${seconds} s`);
    await sleep(200);
  }
}

let count = 0;

/** A namespace for one test; call the returned function to remove it. */
export async function temporaryNamespace(
  purpose: string,
): Promise<{ name: string; remove: () => Promise<void> }> {
  count += 1;
  const name = `lab-test-${purpose}-${process.pid}-${count}`;
  await apply({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name, labels: { "pod-security.kubernetes.io/enforce": "restricted" } },
  });
  return {
    name,
    remove: async () => {
      await kubectl(["delete", "namespace", name, "--wait=false"]);
    },
  };
}
