import { eachPage } from "./state.ts";
import { isDataFolder, statePaths } from "./state-paths.ts";
import type { StatePlan, StateStore, Sweep } from "./types.ts";

/** The key after which everything below a folder is passed: "0" is the character after "/". */
const past = (root: string, folder: string): string => `${root}${folder}0`;

/**
 * Deletes all checkpoints of the plan's run, of all its attempts, under every random prefix, and what Kubernetes kept its JobManagers alive by. Savepoints and other runs stay, those of
 * the same job too. Every data file may have letters of its own, hence one listing of all that is at the location; folders that
 * can't be meant, such as other jobs' metadata and savepoints, are jumped over.
 * @throws UserError of the store; what was deleted until then is gone, and a second call deletes the rest
 */
export async function sweepCheckpoints(
  store: StateStore,
  plan: StatePlan,
  maxPages?: number,
): Promise<Sweep> {
  const { root, own, isOwn } = statePaths(plan);
  let removed = 0;
  let bytes = 0;
  const complete = await eachPage(
    store,
    root,
    async (objects) => {
      const found = objects.filter(({ url }) => isOwn(url));
      await store.remove(found.map(({ url }) => url));
      removed += found.length;
      bytes += found.reduce((sum, object) => sum + object.bytes, 0);
      return jump(root, plan.job, own, objects.at(-1)?.url);
    },
    maxPages,
  );
  return { removed, bytes, complete };
}

/** After what to go on where the last object is in a folder that is neither of random letters nor the run's own. */
function jump(
  root: string,
  job: string,
  own: readonly string[],
  last: string | undefined,
): string | undefined {
  const [folder = ""] = last?.slice(root.length).split("/") ?? [];
  if (last === undefined || isDataFolder(folder)) return undefined;
  if (folder !== job) return past(root, folder);
  const next = own.find((prefix) => last.startsWith(prefix) || prefix > last);
  if (next === undefined) return past(root, folder);
  return last.startsWith(next) ? undefined : next.slice(0, -1);
}
