import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../../base/errors.ts";
import type { Plan } from "../../schema/plan.ts";
import { type EngineError, type EngineEvent, EngineFailure, type StackEngine } from "../engine/index.ts";
import type { Leftover } from "../watch/index.ts";
import type { RunCluster } from "./cluster.ts";
import { pulumiLives } from "./liveness.ts";
import { type RemovalLimits, removalLimits } from "./removal-limits.ts";

/** What a removal works with. */
export interface RemovalTools {
  readonly engine: Pick<StackEngine, "destroy" | "remove" | "forget" | "unlock">;
  readonly cluster: Pick<RunCluster, "removeNamespace" | "waitGone" | "leftovers">;
  readonly onEvent: (event: EngineEvent) => void;
  readonly onVerifying: () => void;
  readonly warn: (message: string) => void;
}

export interface Removal {
  readonly by: "stack" | "namespace" | "nothing";
  /** What could not be removed. */
  readonly left: readonly string[];
}

/** Between tries while the cluster, the state or another process stands in the way. */
const PAUSES_MS = [1000, 2000, 5000, 10_000, 20_000, 30_000] as const;

/**
 * Removes all of an attempt, and looks whether it is gone. Never throws: what goes wrong is in `left`.
 *
 * The namespace is told to go first: Kubernetes waits five seconds before it begins with a namespace, even with an empty one
 * (namespaceDeletionGracePeriod of its namespace controller), and meanwhile Pulumi starts and deletes what is in it. It also goes when
 * Pulumi can't.
 */
export async function removeRun(plan: Plan, tools: RemovalTools): Promise<Removal> {
  const limits = removalLimits();
  if (limits.problem !== undefined) tools.warn(limits.problem);
  let told = false;
  try {
    told = await tools.cluster.removeNamespace(plan);
  } catch (error) {
    if (error instanceof UserError && error.code === "namespace-foreign") {
      // Pulumi deletes by name: it would take a namespace that somebody has made since.
      const reason = `namespace ${plan.namespace} is not the run's any more`;
      return { by: "nothing", left: [`Stack ${plan.stack} (${reason})`] };
    }
    // Pulumi's destroy will tell what is the matter with the cluster.
    tools.warn(`Namespace ${plan.namespace} could not be removed at once: ${text(error)}`);
  }
  const failed = await destroyStack(plan, tools, limits);
  tools.onVerifying();
  // The empty stack goes while the cluster is looked at.
  const [stackLeft, cluster] = await Promise.all([
    removeStack(plan, tools, failed),
    verify(plan, tools, limits),
  ]);
  const gone = cluster.removed || told;
  const by = failed === undefined ? "stack" : gone ? "namespace" : "nothing";
  return { by, left: [...stackLeft, ...cluster.left] };
}

/** Returns what is left of the stack. */
async function removeStack(
  plan: Plan,
  tools: RemovalTools,
  failed: EngineError | undefined,
): Promise<readonly string[]> {
  const { stack } = plan;
  const { engine } = tools;
  // Half a state, or none but its copies: what it made goes with its namespace, and `verify` tells whether it did.
  const unknown = failed?.kind === "broken-state" || failed?.kind === "not-found";
  if (failed !== undefined && !unknown) return [`Stack ${stack} (${failed.message})`];
  const drop = async (): Promise<void> => {
    await (unknown ? engine.forget(stack) : engine.remove(stack));
  };
  try {
    try {
      await drop();
    } catch (error) {
      // Pulumi reads the state before it looks for locks: half a state may well have one of its dead writer's.
      if (!(error instanceof EngineFailure) || error.error.kind !== "conflict") throw error;
      if (!(await ownersAreDead(error.error))) throw error;
      await unlock(plan, tools);
      await drop();
    }
    return [];
  } catch (error) {
    return [`Stack ${stack} (${text(error)})`];
  }
}

/** Returns why it failed; undefined when the stack is gone. */
async function destroyStack(
  plan: Plan,
  tools: RemovalTools,
  { destroyMs }: RemovalLimits,
): Promise<EngineError | undefined> {
  const signal = AbortSignal.timeout(destroyMs);
  for (const pause of PAUSES_MS) {
    const failure = await tryDestroy(plan, tools, signal);
    if (failure === undefined) return undefined;
    if (signal.aborted || !isWorthAnotherTry(failure)) return failure;
    if (failure.kind === "conflict" && (await ownersAreDead(failure))) await unlock(plan, tools);
    else await sleep(pause);
  }
  return await tryDestroy(plan, tools, signal);
}

async function tryDestroy(
  plan: Plan,
  { engine, onEvent }: RemovalTools,
  signal: AbortSignal,
): Promise<EngineError | undefined> {
  try {
    await engine.destroy(plan.stack, { signal, onEvent });
    return undefined;
  } catch (error) {
    return error instanceof EngineFailure ? error.error : { kind: "cli", message: text(error) };
  }
}

async function unlock(plan: Plan, { engine, warn }: RemovalTools): Promise<void> {
  try {
    await engine.unlock(plan.stack);
  } catch (error) {
    warn(`The lock of a dead process on stack ${plan.stack} could not be removed: ${text(error)}`);
  }
}

/** Whether all who hold the stack's lock ran on this machine and are dead: only then may it be broken. */
async function ownersAreDead({ owners }: Extract<EngineError, { kind: "conflict" }>): Promise<boolean> {
  if (owners.length === 0 || owners.some(({ host }) => host !== hostname())) return false;
  const alive = await Promise.all(owners.map(({ pid }) => pulumiLives(pid)));
  return !alive.includes(true);
}

const isWorthAnotherTry = ({ kind }: EngineError): boolean => kind === "conflict" || kind === "unreachable";

/** Looks at the cluster until nothing of the run is there, or it is known what stays. */
async function verify(
  plan: Plan,
  { cluster, warn }: RemovalTools,
  { goneMs }: RemovalLimits,
): Promise<{ readonly removed: boolean; readonly left: readonly string[] }> {
  try {
    // An object that a killed process made, and that no state knows, goes with its namespace.
    const removed = await cluster.removeNamespace(plan);
    const blockers = await cluster.waitGone(plan.namespace, AbortSignal.timeout(goneMs));
    for (const blocker of blockers) warn(blocker);
    const { objects, unknown } = await cluster.leftovers(plan);
    if (unknown.length > 0) warn(`Not looked at, since it could not be listed: ${unknown.join(", ")}`);
    return { removed, left: objects.map(describe) };
  } catch (error) {
    return { removed: false, left: [`Namespace ${plan.namespace} (not proven gone: ${text(error)})`] };
  }
}

const describe = ({ kind, namespace, name, terminating, finalizers }: Leftover): string => {
  const where = namespace === undefined ? name : `${namespace}/${name}`;
  const held = finalizers.length === 0 ? "" : `, held by ${finalizers.join(", ")}`;
  return `${kind} ${where}${terminating ? ` (being deleted${held})` : ""}`;
};

const text = (error: unknown): string =>
  error instanceof UserError || error instanceof Error ? error.message : String(error);
