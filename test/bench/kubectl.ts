// What a person with kubectl would do with the very manifests that the job stack makes: the measure for Mayfly's own cost.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { UserError } from "../../base/errors.ts";
import { childEnv, execute } from "../../base/process.ts";
import { labConnection } from "../../lab/store.ts";
import type { Plan } from "../../schema/plan.ts";
import { jobProgram } from "../../stacks/job/program.ts";
import { record } from "../harness/record.ts";

/** One life of a cluster, in seconds from its start. */
export interface Cycle {
  readonly objectsExist: number;
  readonly driverStarted: number;
  readonly result: number;
  readonly gone: number;
}

/** Secret inputs as the harness records them, back to what they hold. */
const reveal = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(reveal);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value);
  // Only once: what is inside may itself be a map with the one key `secret`.
  if (entries.length === 1 && entries[0]?.[0] === "secret") return entries[0][1];
  return Object.fromEntries(entries.map(([key, inner]) => [key, reveal(inner)]));
};

/** The Kubernetes objects of a plan, as the job program registers them: the namespace first. */
export async function manifests(plan: Plan): Promise<string> {
  const graph = await record(() => jobProgram({ plan, authenticationSecret: "0123456789abcdef" }));
  const items = graph.resources
    .filter(({ type }) => type.startsWith("kubernetes:"))
    .map(({ inputs }) => reveal(inputs));
  return JSON.stringify({ apiVersion: "v1", kind: "List", items });
}

/**
 * Applies a plan's manifests, waits for the driver's end, deletes the namespace and waits until it is gone.
 * @param input The manifests where they are known already.
 * @param path Folders to find kubectl in first.
 */
export async function kubectlCycle(plan: Plan, input?: string, path: readonly string[] = []): Promise<Cycle> {
  if (plan.secrets.length > 0) {
    throw new UserError(
      "bench-needs-no-secrets",
      "The bench compares with kubectl only for jobs that need no secret",
      {
        path: plan.job,
        hint: "Take a job that does not use S3: npm run bench -- run --job examples/pi/job.yaml",
      },
    );
  }
  const connection = labConnection();
  const env = childEnv({
    KUBECONFIG: connection.kubeconfig,
    PATH: [...path, ...connection.path, process.env["PATH"] ?? ""].join(":"),
  });
  const documents = input ?? (await manifests(plan));
  const kubectl = async (...args: readonly string[]): Promise<void> => {
    const { code, stderr } = await execute("kubectl", args, {
      env,
      ...(args.includes("-") ? { input: documents } : {}),
    });
    if (code !== 0) throw new Error(`kubectl ${args.join(" ")}: ${stderr}`);
  };
  const started = performance.now();
  const elapsed = (): number => (performance.now() - started) / 1000;
  const remove = (): Promise<void> =>
    kubectl("delete", "namespace", plan.namespace, "--wait", "--ignore-not-found");
  try {
    await kubectl("apply", "--server-side", "-f", "-");
    const objectsExist = elapsed();
    const driver = await driverTimes(plan, env, elapsed);
    await remove();
    return { objectsExist, ...driver, gone: elapsed() };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** When the driver container started and ended, by one `kubectl get --watch`. */
async function driverTimes(
  plan: Plan,
  env: Record<string, string>,
  elapsed: () => number,
): Promise<Pick<Cycle, "driverStarted" | "result">> {
  const state = '{.status.containerStatuses[?(@.name=="driver")].state}';
  const watch = spawn(
    "kubectl",
    [
      "get",
      "pods",
      "-n",
      plan.namespace,
      "-l",
      `job-name=${plan.coordinator.name}`,
      "-w",
      "-o",
      `jsonpath=${state}{"\\n"}`,
    ],
    { env, stdio: ["ignore", "pipe", "inherit"] },
  );
  try {
    let driverStarted: number | undefined;
    for await (const line of createInterface({ input: watch.stdout })) {
      if (/"(running|terminated)"/.test(line)) driverStarted ??= elapsed();
      if (driverStarted !== undefined && line.includes('"terminated"'))
        return { driverStarted, result: elapsed() };
    }
    throw new Error("kubectl stopped watching before the driver ended");
  } finally {
    watch.kill();
  }
}
