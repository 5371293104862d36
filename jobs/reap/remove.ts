import { UserError } from "../../base/errors.ts";
import { EngineFailure, type StackEngine } from "../engine/index.ts";
import { type Cluster, namespaceState, waitGone } from "../watch/index.ts";
import { deleteLease, deleteNamespace } from "./cluster.ts";
import { removeFolder } from "./folders.ts";
import { orphans } from "./orphans.ts";
import type { Orphan, Reaped, ReapFacts } from "./types.ts";

export interface RemovalTools {
  /** Looks at everything anew, the ledger last. */
  readonly collect: () => Promise<ReapFacts>;
  readonly cluster: Cluster;
  /** @param path In the backend. */
  readonly removeLock: (path: string) => Promise<void>;
  /** Started at first use. */
  readonly engine: () => Pick<StackEngine, "destroy" | "remove" | "forget">;
}

/** For Pulumi to destroy a stack, and for a namespace to be gone. */
const LIMIT_MS = { destroy: 240_000, gone: 120_000 } as const;

const CHANGED = "it has changed, or its run lives: it is no orphan any more";

/** Removes one orphan if it still is one. Never throws: what goes wrong is its `problem`. */
export async function removeOrphan(orphan: Orphan, tools: RemovalTools): Promise<Reaped> {
  try {
    const facts = await tools.collect();
    const same = ({ kind, name, id }: Orphan): boolean =>
      kind === orphan.kind && name === orphan.name && id === orphan.id;
    if (isGone(orphan, facts)) return { ...orphan, fate: "removed" };
    const problem = orphans(facts).some(same) ? await remove(orphan, facts, tools) : CHANGED;
    return problem === undefined ? { ...orphan, fate: "removed" } : { ...orphan, fate: "failed", problem };
  } catch (error) {
    if (error instanceof UserError || error instanceof EngineFailure)
      return { ...orphan, fate: "failed", problem: error.message };
    throw error;
  }
}

/** Some go with others, such as a namespace with its stack. */
function isGone({ kind, name, id }: Orphan, facts: ReapFacts): boolean {
  switch (kind) {
    case "namespace":
      return facts.namespaces.every(({ uid }) => uid !== id);
    case "lease":
      return facts.leases.every((lease) => `${lease.namespace}/${lease.name}` !== name);
    case "stack":
    case "state":
      return facts.stacks.every(({ stack }) => stack !== name);
    case "lock":
      return facts.locks.every(({ path, changedAt }) => `${path} ${changedAt}` !== id);
    case "folder":
      return facts.folders.every((folder) => folder.name !== name);
  }
}

/** Returns why it could not be removed. */
async function remove(orphan: Orphan, facts: ReapFacts, tools: RemovalTools): Promise<string | undefined> {
  const { kind, name, id } = orphan;
  switch (kind) {
    case "namespace":
      return await removeNamespace(id, facts, tools);
    case "lease": {
      const lease = facts.leases.find((one) => `${one.uid} ${one.resourceVersion}` === id);
      return lease === undefined || (await deleteLease(tools.cluster, lease)) ? undefined : CHANGED;
    }
    case "stack":
    case "state":
      return await removeStack(orphan, facts, tools);
    case "lock":
      for (const lock of facts.locks.filter(({ path, changedAt }) => `${path} ${changedAt}` === id))
        await tools.removeLock(lock.path);
      return undefined;
    case "folder":
      for (const folder of facts.folders.filter((one) => one.name === name)) await removeFolder(folder.path);
      return undefined;
  }
}

async function removeNamespace(
  uid: string,
  facts: ReapFacts,
  { cluster }: RemovalTools,
): Promise<string | undefined> {
  const namespace = facts.namespaces.find((one) => one.uid === uid);
  if (namespace === undefined) return undefined;
  if (!(await deleteNamespace(cluster, namespace))) return CHANGED;
  const blockers = await waitGone(cluster, namespace.name, AbortSignal.timeout(LIMIT_MS.gone));
  return blockers.length === 0 ? undefined : blockers.join("; ");
}

async function removeStack(
  { kind, name }: Orphan,
  facts: ReapFacts,
  { cluster, engine, removeLock }: RemovalTools,
): Promise<string | undefined> {
  // Pulumi deletes by name: it would take a namespace that somebody else has made. One of ours is an orphan too, else the stack is none.
  const namespace = await namespaceState(cluster, name);
  if (namespace.kind !== "absent" && facts.namespaces.every((one) => one.name !== name))
    return `namespace ${name} is there and not Mayfly's: its stack would delete it`;
  const locks = facts.locks.filter(({ stack }) => stack === name);
  if (locks.some(({ ownerLives }) => ownerLives === true)) return "a process works on it";
  if (locks.some(({ ownerLives }) => ownerLives === undefined))
    return "it is locked by a process of another machine; if that is gone, remove the lock with: pulumi cancel";
  for (const { path } of locks) await removeLock(path);
  if (kind === "state") {
    await engine().forget(name);
    return undefined;
  }
  const objects = facts.stacks.find(({ stack }) => stack === name)?.state?.objects ?? 0;
  if (objects > 0) await engine().destroy(name, { signal: AbortSignal.timeout(LIMIT_MS.destroy) });
  await engine().remove(name);
  return undefined;
}
