import { EXIT, UserError } from "../../base/errors.ts";
import { checkpointName, isSavepointOf, METADATA, statePaths } from "./state-paths.ts";
import type { StateAt, StatePlan, StateStore } from "./types.ts";

/** Pages of a listing that are read at most, each of up to 1000 objects: of checkpoints that are gone their folders may be left. */
const MAX_PAGES = 2000;

/** All objects below a prefix, page by page. @returns whether that were all, within the bound */
export async function eachPage(
  store: Pick<StateStore, "page">,
  prefix: string,
  onPage: (
    objects: Awaited<ReturnType<StateStore["page"]>>["objects"],
  ) => Promise<string | undefined> | string | undefined,
  maxPages = MAX_PAGES,
): Promise<boolean> {
  let after: string | undefined;
  for (let page = 0; page < maxPages; page++) {
    const { objects, more } = await store.page(prefix, after);
    // Where the reader knows that nothing of interest comes for a while, it says after what to go on.
    const jump = await onPage(objects);
    const last = objects.at(-1)?.url;
    after = jump !== undefined && (last === undefined || jump > last) ? jump : last;
    if (!more || after === undefined) return true;
  }
  return false;
}

/** Like {@link eachPage}, where a part would be a wrong answer. */
async function everyPage(
  store: Pick<StateStore, "page">,
  prefix: string,
  onPage: (objects: Awaited<ReturnType<StateStore["page"]>>["objects"]) => void,
): Promise<void> {
  const isComplete = await eachPage(store, prefix, (objects) => {
    onPage(objects);
    return undefined;
  });
  if (!isComplete) {
    throw new UserError("state-too-many", "There are more than two million objects below this folder.", {
      path: prefix,
      hint: "Name the state to start from: `mayfly resume STREAM --from LOCATION`.",
      exitCode: EXIT.unavailable,
    });
  }
}

/** The newest complete checkpoint that attempts of the plan's run, up to the plan's own, left. @throws UserError of the store */
export async function newestCheckpoint(store: StateStore, plan: StatePlan): Promise<StateAt | undefined> {
  const { metadata } = statePaths(plan);
  let newest: { readonly attempt: number; readonly id: number; readonly state: StateAt } | undefined;
  await everyPage(store, metadata, (objects) => {
    for (const { url, at } of objects) {
      const name = checkpointName(url, metadata);
      if (name === undefined || name.attempt > plan.attempt) continue;
      const { location, attempt, id } = name;
      const isNewer =
        newest === undefined || attempt > newest.attempt || (attempt === newest.attempt && id > newest.id);
      if (isNewer) newest = { attempt, id, state: { location, kind: "checkpoint", at } };
    }
  });
  return newest?.state;
}

/** When a savepoint or checkpoint was complete; undefined where it is not there or not complete. */
async function completeAt(store: StateStore, location: string): Promise<Date | undefined> {
  const url = `${location}${METADATA}`;
  const { objects } = await store.page(url);
  return objects.find((object) => object.url === url)?.at;
}

/**
 * The newest of those savepoints and of {@link newestCheckpoint}; what is not in the store any more does not count.
 * @param savepoints Locations: those of the run in the ledger that are not deleted.
 * @throws UserError of the store
 */
export async function newestState(
  store: StateStore,
  plan: StatePlan,
  savepoints: readonly string[],
): Promise<StateAt | undefined> {
  const found: StateAt[] = [];
  const checkpoint = await newestCheckpoint(store, plan);
  if (checkpoint !== undefined) found.push(checkpoint);
  for (const location of savepoints.map(trimmed)) {
    const at = await completeAt(store, location);
    if (at !== undefined) found.push({ location, kind: "savepoint", at });
  }
  return found.sort((one, other) => other.at.getTime() - one.at.getTime())[0];
}

/** The store's clock and this machine's may differ by so much. */
const SKEW_MS = 60_000;

/**
 * The savepoint by which this attempt's job ended, where nobody could tell its location: the newest one that bears the attempt's job id,
 * was complete after `since` and is not one of `known`.
 * @param options.since When it was asked for.
 * @param options.known Locations of other savepoints of the run: those in the ledger.
 * @throws UserError of the store
 */
export async function finishedSavepoint(
  store: StateStore,
  plan: StatePlan,
  { since, known }: { readonly since: Date; readonly known: readonly string[] },
): Promise<string | undefined> {
  const { savepoints } = statePaths(plan);
  const others = new Set(known.map(trimmed));
  let newest: { readonly location: string; readonly at: Date } | undefined;
  await everyPage(store, `${savepoints}savepoint-${plan.jobId.slice(0, 6)}-`, (objects) => {
    for (const { url, at } of objects) {
      const location = url.slice(0, -METADATA.length);
      if (!isSavepointOf(url, savepoints, plan.jobId) || others.has(location)) continue;
      if (at.getTime() < since.getTime() - SKEW_MS) continue;
      if (newest === undefined || at > newest.at) newest = { location, at };
    }
  });
  return newest?.location;
}

const trimmed = (location: string): string => location.replace(/\/+$/, "").replace(/\/_metadata$/, "");

/**
 * That a savepoint or retained checkpoint is there and complete.
 * @param buckets Those that the tenant may use, where that is to be checked.
 * @throws UserError `savepoint-missing`, `savepoint-invalid`, `savepoint-foreign`, and the store's own
 */
export async function checkSavepoint(
  store: StateStore,
  location: string,
  buckets?: readonly string[],
): Promise<StateAt> {
  const folder = trimmed(location);
  const bucket = /^s3:\/\/([^/]+)\/[^/]/.exec(folder)?.[1];
  if (bucket === undefined) {
    throw new UserError("savepoint-invalid", "A savepoint is a folder in S3: s3://BUCKET/FOLDER.", {
      path: location,
      hint: "`mayfly savepoints STREAM` lists those of a stream.",
      exitCode: EXIT.invalidInput,
    });
  }
  if (buckets !== undefined && !buckets.includes(bucket)) {
    throw new UserError(
      "savepoint-foreign",
      `Bucket ${bucket} is not one of the tenant's: ${buckets.join(", ")}.`,
      {
        path: location,
        hint: "Start from a savepoint in the tenant's own buckets, or have the platform's people copy it there.",
        exitCode: EXIT.denied,
      },
    );
  }
  const at = await completeAt(store, folder);
  if (at !== undefined) {
    return { location: folder, kind: /\/chk-\d+$/.test(folder) ? "checkpoint" : "savepoint", at };
  }
  const { objects } = await store.page(`${folder}/`);
  const [first] = objects;
  if (first === undefined) {
    throw new UserError("savepoint-missing", "There is nothing at this location.", {
      path: location,
      hint: "`mayfly savepoints STREAM` lists those of a stream; retention may have deleted this one.",
      exitCode: EXIT.missingInput,
    });
  }
  const below = objects.find(({ url }) => url.endsWith(METADATA))?.url.slice(0, -METADATA.length);
  throw new UserError("savepoint-invalid", "This is no complete savepoint: it has no file _metadata.", {
    path: location,
    hint:
      below === undefined
        ? "It was most likely not finished. `mayfly savepoints STREAM` lists those of a stream."
        : `Below it there is one: ${below}`,
    exitCode: EXIT.invalidInput,
  });
}

/**
 * Deletes a savepoint: `_metadata` last, so that what is half deleted can be deleted again.
 * @returns how many objects there were
 * @throws UserError `savepoint-invalid` for a folder that is none: nothing is deleted then; and the store's own
 */
export async function deleteSavepoint(store: StateStore, location: string): Promise<number> {
  const folder = trimmed(location);
  if (!/^s3:\/\/[^/]+\/.*\bsavepoint-[^/]+$/.test(folder)) {
    throw new UserError("savepoint-invalid", "Only folders that Flink named savepoint-… are deleted.", {
      path: location,
      hint: "Checkpoints are swept at their run's end. Delete other folders by the store's own tools.",
      exitCode: EXIT.invalidInput,
    });
  }
  const urls: string[] = [];
  await everyPage(store, `${folder}/`, (objects) => {
    urls.push(...objects.map(({ url }) => url));
  });
  const last = urls.filter((url) => url === `${folder}${METADATA}`);
  await store.remove(urls.filter((url) => !last.includes(url)));
  await store.remove(last);
  return urls.length;
}
