import { createHash } from "node:crypto";
import { mkdir, rename, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { EXIT, UserError } from "../base/errors.ts";
import { suggest } from "../base/nearest.ts";
import { childEnv, execute } from "../base/process.ts";
import { withFolder } from "./temporary.ts";

/** A commit of the project's repository. */
export interface Commit {
  /** Whole hash. */
  readonly hash: string;
  readonly short: string;
}

async function git(folder: string, args: readonly string[]): Promise<string | undefined> {
  try {
    const { code, stdout } = await execute("git", args, { cwd: folder, env: childEnv() });
    return code === 0 ? stdout : undefined;
  } catch {
    // No git on this machine: the same as no checkout.
    return undefined;
  }
}

/** Whether the folder is in a git checkout that has a commit. */
export const isCheckout = async (folder: string): Promise<boolean> =>
  (await git(folder, ["rev-parse", "--verify", "--quiet", "HEAD^{commit}"])) !== undefined;

/**
 * The commit to compare with for a ref: where HEAD parted from it, so that what others did there since then is not shown as undone
 * here. A ref that has nothing in common with HEAD, as in a shallow clone, is taken itself.
 * @throws UserError `no-such-ref`
 */
export async function baseCommit(folder: string, ref: string): Promise<Commit> {
  const wanted = ref.startsWith("-")
    ? undefined
    : await git(folder, ["rev-parse", "--verify", "--quiet", `${ref}^{commit}`]);
  if (wanted === undefined) {
    const branches = await git(folder, ["for-each-ref", "--format=%(refname:short)", "--count=500"]);
    throw new UserError(
      "no-such-ref",
      `There is no commit, branch or tag "${ref}", nor a file of that name.`,
      {
        hint: `${suggest(
          ref,
          (branches ?? "").split("\n").filter((name) => name !== ""),
        )} In CI, fetch it first (fetch-depth: 0).`,
        exitCode: EXIT.missingInput,
      },
    );
  }
  const parted = await git(folder, ["merge-base", wanted.trim(), "HEAD"]);
  const hash = (parted ?? wanted).trim();
  return { hash, short: hash.slice(0, 7) };
}

/** A file of a commit; undefined where it has none of that path. `path` is relative to the folder. */
export const fileAt = async (folder: string, { hash }: Commit, path: string): Promise<string | undefined> =>
  await git(folder, ["show", `${hash}:./${path}`]);

/** Which of these paths, relative to the folder, the commit has. */
export async function pathsAt(
  folder: string,
  { hash }: Commit,
  paths: readonly string[],
): Promise<readonly string[]> {
  const listed = await git(folder, ["ls-tree", "--name-only", "-z", hash, "--", ...paths]);
  return (listed ?? "").split("\0").filter((path) => path !== "");
}

/** Whether any file below these paths differs from the commit, new files that git does not ignore included. */
export async function differs(folder: string, { hash }: Commit, paths: readonly string[]): Promise<boolean> {
  const [changed, added] = await Promise.all([
    git(folder, ["diff", "--name-only", "-z", hash, "--", ...paths]),
    git(folder, ["ls-files", "--others", "--exclude-standard", "-z", "--", ...paths]),
  ]);
  return changed !== "" || added !== "";
}

/** Names one state of all files below these paths. */
export async function treeDigest(
  folder: string,
  { hash }: Commit,
  paths: readonly string[],
): Promise<string> {
  const tree = await git(folder, ["ls-tree", "-r", "-z", hash, "--", ...paths]);
  return createHash("sha256")
    .update(tree ?? "")
    .digest("hex");
}

/**
 * Puts the files of a commit below these paths into a folder, whole or not at all.
 * @param modules Becomes `node_modules` there.
 */
export async function checkOut(
  folder: string,
  commit: Commit,
  paths: readonly string[],
  target: string,
  modules: string,
): Promise<void> {
  await mkdir(join(target, ".."), { recursive: true, mode: 0o700 });
  await withFolder(`${target}.`, async (made) => {
    const archive = join(made, "program.tar");
    const steps: readonly (readonly [string, readonly string[], string])[] = [
      ["git", ["archive", "--format=tar", `--output=${archive}`, commit.hash, "--", ...paths], folder],
      ["tar", ["-xf", archive], made],
    ];
    for (const [command, args, cwd] of steps) {
      const { code, stderr } = await execute(command, args, { cwd, env: childEnv() });
      if (code === 0) continue;
      throw new UserError(
        "base-unreadable",
        `The program at commit ${commit.short} can't be read: ${stderr.trim()}`,
        {
          hint: "Compare with nothing: --against nothing",
          exitCode: EXIT.unavailable,
        },
      );
    }
    await rm(archive);
    await symlink(modules, join(made, "node_modules"));
    // Where another process was quicker, its files are the same.
    await rename(made, target).catch((error: unknown) => {
      if (!isTaken(error)) throw error;
    });
  });
}

const isTaken = (error: unknown): boolean =>
  error instanceof Error && "code" in error && (error.code === "ENOTEMPTY" || error.code === "EEXIST");
