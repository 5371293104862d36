import { EXIT, UserError } from "../../base/errors.ts";
import { OUTCOME_EXIT } from "../../schema/outcome.ts";
import type { Plan } from "../../schema/plan.ts";
import type { EngineError } from "../engine/index.ts";
import type { ObjectStore } from "../store/index.ts";
import type { RunCluster } from "./cluster.ts";

/**
 * All that can be known to be wrong before anything is made: the cluster, the namespace, secrets and input files. Asks side by
 * side; what is more fundamental is told first.
 * @throws UserError of jobs/watch and jobs/store; `namespace-taken`, `input-not-found`
 */
export async function preflight(
  plan: Plan,
  cluster: Pick<RunCluster, "check" | "checkFence" | "checkSecrets" | "namespaceState">,
  store: Pick<ObjectStore, "missing">,
): Promise<void> {
  const checks = [
    cluster.check(),
    checkNamespace(plan, cluster),
    cluster.checkFence(),
    cluster.checkSecrets(plan),
    checkInputs(plan, store),
  ];
  for (const result of await Promise.allSettled(checks))
    if (result.status === "rejected") throw result.reason;
}

/**
 * Makes the folder that Spark's event log goes to. Spark itself refuses to start where it is not there, though S3 knows no folders:
 * an empty object whose name ends with a slash is what S3A takes for one.
 * https://hadoop.apache.org/docs/stable/hadoop-aws/tools/hadoop-aws/directory_markers.html
 */
export async function makeEventLogFolder({ output }: Plan, store: Pick<ObjectStore, "put">): Promise<void> {
  if (output.eventLog === undefined) return;
  await store.put(`${output.eventLog.replace(/\/+$/, "")}/`, "", "application/x-directory");
}

async function checkNamespace(
  { namespace, run }: Plan,
  cluster: Pick<RunCluster, "namespaceState">,
): Promise<void> {
  const state = await cluster.namespaceState(namespace);
  if (state.kind === "absent") return;
  const whose = state.kind === "ours" ? `belongs to run ${state.run}` : "is not one of Mayfly's";
  throw new UserError("namespace-taken", `Namespace ${namespace} is there already and ${whose}.`, {
    path: namespace,
    hint:
      state.kind === "ours"
        ? `If that run is over, remove it first: npx mayfly destroy ${state.run}`
        : `Mayfly never adopts or deletes what it has not made. Look at it (kubectl describe namespace ${namespace}), or run again for another run id than ${run}.`,
  });
}

async function checkInputs({ inputs }: Plan, store: Pick<ObjectStore, "missing">): Promise<void> {
  const [first, ...more] = inputs.length === 0 ? [] : await store.missing(inputs);
  if (first === undefined) return;
  const others = more.length === 0 ? "" : ` Nor are: ${more.join(", ")}.`;
  throw new UserError("input-not-found", `The job needs a file that is not in the S3 store.${others}`, {
    path: first,
    hint: "Upload it (in the lab: npx mayfly lab s3 put FILE URL), or correct the job's spec.",
    exitCode: EXIT.missingInput,
  });
}

/** An engine error before anything was made is one of the user's surroundings. */
export function engineUserError(error: EngineError): UserError {
  switch (error.kind) {
    case "missing-tool":
      return new UserError("tool-missing", `Pulumi can't be started: ${error.message}`, {
        hint: "See what is missing: npx mayfly lab doctor",
        exitCode: EXIT.unavailable,
      });
    case "unauthorized":
      return new UserError("state-denied", `Pulumi's state refused us: ${error.message}`, {
        hint: "Check the passphrase file and the credentials that the connection file names.",
        exitCode: EXIT.denied,
      });
    case "unreachable":
      return new UserError("state-unreachable", `Pulumi's state can't be reached: ${error.message}`, {
        hint: "Check pulumi.backendUrl of the connection file.",
        exitCode: EXIT.unreachable,
      });
    case "policy":
      return new UserError("policy-violated", `The policy pack refuses it: ${error.message}`, {
        hint: "docs/policy.md explains each rule.",
        exitCode: OUTCOME_EXIT.refused,
      });
    case "exists":
    case "broken-state":
    case "conflict":
    case "not-found":
    case "provider":
    case "cancelled":
    case "cli":
      return new UserError(`engine-${error.kind}`, `Pulumi failed: ${error.message}`, {
        hint: "Nothing was made. If it happens again, look at `pulumi stack ls` in the environment's shell (npx mayfly lab env).",
        exitCode: EXIT.unavailable,
      });
  }
}
