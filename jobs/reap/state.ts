// Boundary: reads the files of Pulumi's own backend, whose form is Pulumi's:
// https://github.com/pulumi/pulumi/blob/master/pkg/backend/diy/backend.go
import { readdir, readFile, rm, stat } from "node:fs/promises";
import { homedir, hostname } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { z } from "zod";
import { processLives } from "../run/liveness.ts";
import type { LockFact, StackFact } from "./types.ts";

/** The project of all job stacks. */
const PROJECT = "mayfly-job";

/** The folder of a backend in files; undefined for another one. */
export function backendFolder(backendUrl: string): string | undefined {
  const path = /^file:\/\/([^?]*)/.exec(backendUrl)?.[1];
  if (path === undefined) return undefined;
  return join(path.startsWith("~") ? join(homedir(), path.slice(1)) : path, ".pulumi");
}

/** What is in a backend of job stacks. */
export interface StateFacts {
  readonly stacks: readonly StackFact[];
  readonly locks: readonly LockFact[];
  /** State files of a form that this version does not know: what they list is not known, so they are left alone. */
  readonly strange: readonly string[];
}

/** Stacks of jobs, those among them whose state can't be read, and all locks. */
export async function listState(folder: string): Promise<StateFacts> {
  const [files, locks] = await Promise.all([
    listStacks(join(folder, "stacks", PROJECT)),
    listLocks(join(folder, "locks", "organization", PROJECT)),
  ]);
  return {
    stacks: files.flatMap(({ state, ...file }) =>
      state === "strange" ? [] : [{ ...file, state: state === "broken" ? undefined : state }],
    ),
    locks,
    strange: files.flatMap(({ state, path }) => (state === "strange" ? [path] : [])),
  };
}

export const removeLock = async (path: string): Promise<void> => {
  await rm(path, { force: true });
};

const isMissing = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "ENOENT";

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** Undefined where it has gone meanwhile. */
async function unlessGone<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

type StackFile = Omit<StackFact, "state"> & { readonly state: ReadState };

async function listStacks(folder: string): Promise<readonly StackFile[]> {
  const facts = (await namesIn(folder)).map(async (file) => {
    const stack = /^(.+)\.json(?:\.gz)?$/.exec(file)?.[1];
    if (stack === undefined) return undefined;
    const path = join(folder, file);
    return await unlessGone(async (): Promise<StackFile> => {
      const bytes = await readFile(path);
      return { stack, path, changedAt: (await stat(path)).mtimeMs, state: readState(bytes) };
    });
  });
  return (await Promise.all(facts)).filter((fact) => fact !== undefined);
}

const Labelled = z.object({ metadata: z.object({ labels: z.record(z.string(), z.unknown()) }) });
const State = z.object({
  version: z.number(),
  checkpoint: z.object({
    latest: z
      .object({
        resources: z
          .array(
            z.object({
              type: z.string(),
              custom: z.boolean().default(false),
              inputs: z.unknown().optional(),
            }),
          )
          .nullish(),
        pending_operations: z.array(z.unknown()).nullish(),
      })
      .nullish(),
  }),
});

export type ReadState = NonNullable<StackFact["state"]> | "broken" | "strange";

/** What a state file says. `broken`: it is no JSON, as half a file is none, and so nothing that Pulumi could read either. */
export function readState(bytes: Buffer): ReadState {
  const document = parse(bytes);
  if (document === undefined) return "broken";
  const parsed = State.safeParse(document);
  if (!parsed.success) return "strange";
  const { latest } = parsed.data.checkpoint;
  const resources = latest?.resources ?? [];
  const objects = resources.filter(({ type, custom }) => custom && !type.startsWith("pulumi:"));
  const label = (key: string): string | undefined => {
    for (const { inputs } of objects) {
      const value = Labelled.safeParse(inputs).data?.metadata.labels[key];
      if (typeof value === "string") return value;
    }
    return undefined;
  };
  return {
    // What was being made when the process died may exist.
    objects: objects.length + (latest?.pending_operations?.length ?? 0),
    run: label("mayfly.dev/run"),
    environment: label("mayfly.dev/environment"),
  };
}

function parse(bytes: Buffer): unknown {
  try {
    const zipped = bytes[0] === 0x1f && bytes[1] === 0x8b;
    return JSON.parse((zipped ? gunzipSync(bytes) : bytes).toString("utf8"));
  } catch {
    return undefined;
  }
}

const Owner = z.object({ pid: z.int().positive(), hostname: z.string() });

async function listLocks(folder: string): Promise<readonly LockFact[]> {
  const stacks = await namesIn(folder);
  const facts = stacks.map(async (stack) => {
    const files = await namesIn(join(folder, stack));
    return await Promise.all(
      files.map(async (file) => {
        const path = join(folder, stack, file);
        return await unlessGone(async (): Promise<LockFact> => {
          const owner = Owner.safeParse(parse(await readFile(path))).data;
          const local = owner?.hostname === hostname();
          return {
            stack,
            path,
            changedAt: (await stat(path)).mtimeMs,
            ownerLives: owner !== undefined && local ? await processLives(owner.pid) : undefined,
          };
        });
      }),
    );
  });
  return (await Promise.all(facts)).flat().filter((fact) => fact !== undefined);
}
