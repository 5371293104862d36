import { readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { EXIT, UserError } from "../base/errors.ts";
import {
  baseCommit,
  type Commit,
  checkOut,
  differs,
  fileAt,
  isCheckout,
  pathsAt,
  treeDigest,
} from "./git.ts";
import { stackFileName } from "./stack-file.ts";
import { filesDigest, markUsed, previewCache, prune } from "./state-cache.ts";
import type { ComparedWith } from "./types.ts";

/** What the environment's program is made of, relative to the project. */
const PROGRAM = ["Pulumi.yaml", "stacks", "components", "schema", "knowledge", "base"] as const;
/** Beside the program, for Node: whether `.js` is a module, and what is installed. */
const AROUND = ["package.json", "package-lock.json", "tsconfig.json"] as const;

/** The side that the work tree is compared with. */
export type Base =
  | { readonly kind: "nothing"; readonly comparedWith: ComparedWith }
  | {
      readonly kind: "program";
      readonly comparedWith: ComparedWith;
      /** Text of the stack's file on that side. */
      readonly config: string;
      /** What the file is called in messages. */
      readonly configName: string;
      /** Digest of the program on that side. */
      readonly program: string;
      /** The folder to run it in; made where it isn't there yet. */
      readonly projectDir: () => Promise<string>;
    };

/** What to compare, and with what. */
export interface BaseRequest {
  readonly projectDir: string;
  readonly stack: string;
  /** Text of the stack's file in the work tree. */
  readonly config: string;
  /** `nothing`, a file, or a git ref; undefined: HEAD, where something differs from it. */
  readonly against: string | undefined;
  /** What a relative path of a file is relative to. */
  readonly folder: string;
}

const nothing = (why: string): Base => ({ kind: "nothing", comparedWith: { kind: "nothing", why } });

/**
 * Finds what an environment is to be compared with.
 * @throws UserError `no-such-ref`, `file-missing`, `not-a-checkout`, `base-unreadable`.
 */
export async function findBase(request: BaseRequest): Promise<Base> {
  const { projectDir, against, folder } = request;
  if (against === "nothing") return nothing("asked for");
  if (against !== undefined && (await isFile(resolve(folder, against)))) {
    return await fileBase(projectDir, against, resolve(folder, against));
  }
  const checkout = await isCheckout(projectDir);
  if (against !== undefined) {
    if (/\.ya?ml$/.test(against)) {
      throw new UserError("file-missing", "The file to compare with can't be read.", {
        path: against,
        exitCode: EXIT.missingInput,
      });
    }
    if (!checkout) {
      throw new UserError(
        "not-a-checkout",
        `"${against}" is no file, and this is no git checkout to look for it.`,
        {
          path: projectDir,
          hint: "Name a config file, or --against nothing.",
          exitCode: EXIT.missingInput,
        },
      );
    }
    return await commitBase(request, against, await baseCommit(projectDir, against));
  }
  if (!checkout) return nothing("this is not a git checkout");
  const head = await baseCommit(projectDir, "HEAD");
  const base = await commitBase(request, "HEAD", head);
  if (base.kind === "nothing" || base.comparedWith.kind !== "commit") return base;
  return base.config === request.config && !base.comparedWith.programDiffers
    ? nothing(`nothing differs from commit ${head.short}`)
    : base;
}

const isFile = async (path: string): Promise<boolean> =>
  await stat(path).then(
    (found) => found.isFile(),
    () => false,
  );

async function fileBase(projectDir: string, file: string, path: string): Promise<Base> {
  return {
    kind: "program",
    comparedWith: { kind: "file", file },
    config: await readFile(path, "utf8"),
    configName: file,
    program: await filesDigest(projectDir, PROGRAM),
    projectDir: () => Promise.resolve(projectDir),
  };
}

async function commitBase({ projectDir, stack }: BaseRequest, ref: string, commit: Commit): Promise<Base> {
  const file = stackFileName(stack);
  const config = await fileAt(projectDir, commit, file);
  if (config === undefined) return nothing(`${file} is not in commit ${commit.short}`);
  const paths = await pathsAt(projectDir, commit, [...PROGRAM, ...AROUND]);
  const [programDiffers, program, lockDiffers] = await Promise.all([
    differs(projectDir, commit, PROGRAM),
    treeDigest(projectDir, commit, PROGRAM),
    differs(projectDir, commit, ["package-lock.json"]),
  ]);
  return {
    kind: "program",
    comparedWith: {
      kind: "commit",
      commit: commit.short,
      ref: commit.hash.startsWith(ref) ? commit.short : ref,
      file,
      programDiffers,
      notes: lockDiffers
        ? [
            "package-lock.json differs from that commit: its program was run with the packages that are installed now",
          ]
        : [],
    },
    config,
    configName: `${file} at commit ${commit.short}`,
    program,
    projectDir: async () => {
      if (!programDiffers) return projectDir;
      const target = join(previewCache(), "programs", program);
      if (!(await markUsed(target))) {
        await checkOut(projectDir, commit, paths, target, join(projectDir, "node_modules"));
        await prune(join(target, ".."));
      }
      return target;
    },
  };
}
