import { eachPage } from "./state.ts";
import { isDataFolder, statePaths } from "./state-paths.ts";
import type { StatePlan, StateStore, Sweep } from "./types.ts";

/** Objects of one request: S3's largest page. At most 2 million objects are looked at. */
const MAX_PAGES = 2000;

/** The key after which everything below a folder is passed: "0" is the character after "/". */
const past = (root: string, folder: string): string => `${root}${folder}0`;

/**
 * Deletes all checkpoints of the plan's run: of all its attempts, under every random prefix. Savepoints and other runs stay, those of
 * the same job too. Every data file may have letters of its own, hence one listing of all that is at the location; folders that
 * can't be meant, such as other jobs' metadata and savepoints, are jumped over.
 * @throws UserError of the store; what was deleted until then is gone, and a second call deletes the rest
 */
export async function sweepCheckpoints(
  store: StateStore,
  plan: StatePlan,
  maxPages = MAX_PAGES,
): Promise<Sweep> {
  const { root, isCheckpoint } = statePaths(plan);
  let removed = 0;
  let bytes = 0;
  const complete = await eachPage(
    store,
    root,
    async (objects) => {
      const own = objects.filter(({ url }) => isCheckpoint(url));
      await store.remove(own.map(({ url }) => url));
      removed += own.length;
      bytes += own.reduce((sum, object) => sum + object.bytes, 0);
      return jump(root, plan, objects.at(-1)?.url);
    },
    maxPages,
  );
  return { removed, bytes, complete };
}

/** After what to go on where the last object's folder is none of random letters and not the run's. */
function jump(root: string, { job, run }: StatePlan, last: string | undefined): string | undefined {
  const [folder = "", second = ""] = last?.slice(root.length).split("/") ?? [];
  if (last === undefined || isDataFolder(folder)) return undefined;
  if (folder !== job) return past(root, folder);
  // Runs of the job: those before and after the one meant.
  if (second === run) return undefined;
  return second < run ? `${root}${job}/${run}` : past(root, folder);
}
