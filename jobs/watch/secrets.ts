import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { EXIT, UserError } from "../../base/errors.ts";
import type { Plan } from "../../schema/plan.ts";
import { isNotFound } from "./api.ts";
import { type Cluster, explained } from "./cluster.ts";
import { whileOurs } from "./fence.ts";
import { foreign, namespaceState } from "./namespace.ts";

const Secret = z.object({
  type: z.string().default("Opaque"),
  data: z
    .record(z.string(), z.string())
    .nullish()
    .transform((data) => data ?? {}),
});
type Secret = z.infer<typeof Secret>;

const path = (namespace: string, name: string): string =>
  `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets/${encodeURIComponent(name)}`;

/** Keys of a Secret that the plan's containers read. */
function wantedKeys(plan: Plan, secret: string): readonly string[] {
  const containers = [...plan.coordinator.sidecars, plan.coordinator.driver, plan.workers.container];
  const keys = containers.flatMap(({ secretEnv, secretFiles }) => [
    ...secretEnv.filter((reference) => reference.secret === secret).map(({ key }) => key),
    ...(secretFiles?.secret === secret ? secretFiles.keys : []),
  ]);
  return [...new Set(keys)];
}

async function readSource(
  cluster: Cluster,
  plan: Plan,
  fromNamespace: string,
  name: string,
): Promise<Secret> {
  let secret: Secret;
  try {
    secret = Secret.parse(await cluster.api.get(path(fromNamespace, name)));
  } catch (cause) {
    if (!isNotFound(cause)) throw cause;
    throw new UserError("secret-missing", `Secret ${name} is not in namespace ${fromNamespace}.`, {
      path: `${fromNamespace}/${name}`,
      hint: `Make it: kubectl create secret generic ${name} --namespace ${fromNamespace} --from-literal=KEY=…; or correct the job's \`secrets\`.`,
      exitCode: EXIT.missingInput,
      cause,
    });
  }
  const missing = wantedKeys(plan, name).filter((key) => !(key in secret.data));
  if (missing.length > 0) {
    const has = Object.keys(secret.data).join(", ");
    throw new UserError(
      "secret-key-missing",
      `Secret ${name} in namespace ${fromNamespace} has no key ${missing.join(", ")}; it has: ${has === "" ? "none" : has}.`,
      {
        path: `${fromNamespace}/${name}`,
        hint: "Add the key, or correct the job's `secrets`.",
        exitCode: EXIT.missingInput,
      },
    );
  }
  return secret;
}

/**
 * Checks before anything is made that the plan's Secrets and keys are there.
 * @throws UserError `secret-missing`, `secret-key-missing`
 */
export async function checkSecrets(cluster: Cluster, plan: Plan): Promise<void> {
  await explained(cluster, async () => {
    await Promise.all(
      plan.secrets.map(({ fromNamespace, name }) => readSource(cluster, plan, fromNamespace, name)),
    );
  });
}

const POLL_MS = 50;

/** Waits for the run's namespace; pods that start before their Secrets are there would lose ten seconds to the kubelet's back-off. */
async function waitForNamespace(
  cluster: Cluster,
  plan: Plan,
  signal: AbortSignal,
  seconds: number,
): Promise<void> {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    signal.throwIfAborted();
    const state = await namespaceState(cluster, plan.namespace);
    if (state.kind === "foreign") throw foreign(plan.namespace, plan.run);
    if (state.kind === "ours") {
      if (state.run !== plan.run) throw foreign(plan.namespace, plan.run);
      if (!state.terminating) return;
    }
    if (performance.now() >= end) {
      throw new UserError(
        "namespace-late",
        `Namespace ${plan.namespace} did not come into being within ${seconds} s.`,
        {
          path: plan.namespace,
          hint: `See what holds it up: kubectl get namespace ${plan.namespace} -o yaml`,
          exitCode: EXIT.unavailable,
        },
      );
    }
    await sleep(POLL_MS, undefined, { signal });
  }
}

/**
 * Copies the plan's Secrets from the tenant's namespace into the run's, waiting for the latter to exist. Never through Pulumi, so
 * that no value gets into its state; values are not logged, and errors name only namespaces, names and keys.
 * @throws UserError `secret-missing`, `secret-key-missing`, `namespace-foreign`, `namespace-late`, `lease-lost`
 */
export async function deliverSecrets(
  cluster: Cluster,
  plan: Plan,
  options: {
    readonly signal: AbortSignal;
    readonly waitSeconds?: number;
    /** Of the run's lease: label of the copies, without which the API server refuses them in a fenced namespace. */
    readonly fence?: number | undefined;
  },
): Promise<void> {
  if (plan.secrets.length === 0) return;
  const fence = options.fence === undefined ? {} : { "mayfly.dev/fence": String(options.fence) };
  await explained(cluster, async () => {
    const [sources] = await Promise.all([
      Promise.all(
        plan.secrets.map(async ({ fromNamespace, name }) => ({
          name,
          secret: await readSource(cluster, plan, fromNamespace, name),
        })),
      ),
      waitForNamespace(cluster, plan, options.signal, options.waitSeconds ?? 60),
    ]);
    await Promise.all(
      sources.map(({ name, secret }) =>
        whileOurs(plan.run, () =>
          // Server-side apply: the same call makes it, and makes it right when a retry finds it there.
          cluster.api.send("PATCH", path(plan.namespace, name), {
            query: { fieldManager: "mayfly", force: true },
            contentType: "application/apply-patch+yaml",
            signal: options.signal,
            body: {
              apiVersion: "v1",
              kind: "Secret",
              metadata: {
                name,
                namespace: plan.namespace,
                labels: { ...plan.labels, ...fence, "mayfly.dev/role": "secret" },
              },
              type: secret.type,
              data: secret.data,
            },
          }),
        ),
      ),
    );
  });
}
