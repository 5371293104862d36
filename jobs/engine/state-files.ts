// A backend in a folder, as Pulumi lays it out and locks it: makes a new stack and removes an empty one without Pulumi, whose start alone
// costs 0.17 CPU-seconds. Whatever is not exactly as expected is left to Pulumi, which then says what is the matter.
// https://github.com/pulumi/pulumi/tree/master/pkg/backend/diy (state.go, lock.go, meta.go)
import { randomUUID } from "node:crypto";
import { access, link, mkdir, readdir, readFile, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { hostname, userInfo } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { PROJECT } from "./project.ts";

/** `other`: not done, for Pulumi to do. */
type Done = "done" | "exists" | "other";

/** What is looked at of a state file; Pulumi writes more. */
const Checkpoint = z.object({
  version: z.literal(3),
  checkpoint: z.object({
    latest: z
      .object({
        resources: z.array(z.object({ type: z.string() })).optional(),
        pending_operations: z.array(z.unknown()).optional(),
      })
      .nullish(),
  }),
});

const isMissing = (error: unknown): boolean => codeOf(error) === "ENOENT";
const codeOf = (error: unknown): unknown =>
  error instanceof Error && "code" in error ? error.code : undefined;

/** Where the files of a stack are. */
interface Files {
  readonly root: string;
  readonly stack: string;
  readonly state: string;
  readonly locks: string;
  /** Beside `locks`, so that a lock that is half written is not taken for one. */
  readonly draft: string;
}

/** @returns undefined for a backend that is no folder, or whose layout is another one. */
async function filesOf(backendUrl: string, stack: string): Promise<Files | undefined> {
  if (!backendUrl.startsWith("file:///")) return undefined;
  const root = join(fileURLToPath(backendUrl), ".pulumi");
  const meta = await readFile(join(root, "meta.yaml"), "utf8").catch(() => "");
  if (meta.trim() !== "version: 1") return undefined;
  const locks = join(root, "locks", "organization", PROJECT);
  const draft = join(locks, `${stack}.${randomUUID()}.tmp`);
  return {
    root,
    stack,
    state: join(root, "stacks", PROJECT, `${stack}.json`),
    locks: join(locks, stack),
    draft,
  };
}

/** Makes a new, empty stack, in one step; a first `up` gives it its secrets manager. */
export async function createStackFile(backendUrl: string, stack: string): Promise<Done> {
  const files = await filesOf(backendUrl, stack);
  if (files === undefined) return "other";
  return await locked(files, async () => {
    if (await hasVariant(files)) return "other";
    const state = { version: 3, checkpoint: { stack: `organization/${PROJECT}/${stack}` } };
    const draft = `${files.state}.${randomUUID()}.tmp`;
    await mkdir(join(files.root, "stacks", PROJECT), { recursive: true });
    try {
      await writeFile(draft, JSON.stringify(state), { mode: 0o600 });
      // Unlike a rename, it refuses a name that is taken.
      await link(draft, files.state);
      return "done";
    } catch (error) {
      if (codeOf(error) === "EEXIST") return "exists";
      throw error;
    } finally {
      await rm(draft, { force: true });
    }
  });
}

/** Removes an empty stack with its history and copies. */
export async function removeStackFiles(backendUrl: string, stack: string): Promise<Done> {
  const files = await filesOf(backendUrl, stack);
  if (files === undefined) return "other";
  const done = await locked(files, async () => {
    if ((await hasVariant(files)) || !(await isEmpty(files.state))) return "other";
    // The state last: a stack that is only half removed is still one that `pulumi stack ls` shows.
    for (const kept of ["history", "backups"])
      await rm(join(files.root, kept, PROJECT, stack), { recursive: true, force: true });
    for (const path of [`${files.state.slice(0, -".json".length)}.pulumi-tags`, `${files.state}.bak`])
      await rm(path, { force: true });
    await rm(files.state);
    return "done";
  });
  // Pulumi leaves one empty folder for each stack that there ever was.
  if (done === "done") await rmdir(files.locks).catch(() => undefined);
  return done;
}

/** Compressed states are Pulumi's to read. */
async function hasVariant({ state }: Files): Promise<boolean> {
  const looks = [".gz", ".zst"].map((end) =>
    access(`${state}${end}`).then(
      () => true,
      () => false,
    ),
  );
  return (await Promise.all(looks)).includes(true);
}

async function isEmpty(path: string): Promise<boolean> {
  try {
    const found = Checkpoint.safeParse(JSON.parse(await readFile(path, "utf8")));
    if (!found.success) return false;
    const { resources = [], pending_operations: pending = [] } = found.data.checkpoint.latest ?? {};
    return pending.length === 0 && resources.every(({ type }) => type === "pulumi:pulumi:Stack");
  } catch {
    return false;
  }
}

/** Does `work` under Pulumi's lock of the stack, unless somebody else has it: looks, locks, looks again. */
async function locked(files: Files, work: () => Promise<Done>): Promise<Done> {
  const name = `${randomUUID()}.json`;
  const others = async (): Promise<boolean> => {
    const names = await readdir(files.locks).catch((error: unknown) => {
      if (isMissing(error)) return [];
      throw error;
    });
    return names.some((other) => other !== name);
  };
  if (await others()) return "other";
  const { username } = userInfo();
  const content = { pid: process.pid, username, hostname: hostname(), timestamp: new Date().toISOString() };
  await mkdir(files.locks, { recursive: true });
  await writeFile(files.draft, JSON.stringify(content), { mode: 0o600 });
  await rename(files.draft, join(files.locks, name));
  try {
    return (await others()) ? "other" : await work();
  } finally {
    await rm(join(files.locks, name), { force: true });
  }
}
