// Boundary: reads the files of Pulumi's own backend, whose form is Pulumi's:
// https://github.com/pulumi/pulumi/blob/master/pkg/backend/diy/backend.go
import { hostname } from "node:os";
import { basename, dirname } from "node:path";
import { gunzipSync } from "node:zlib";
import { z } from "zod";
import { pulumiLives } from "../run/liveness.ts";
import type { BackendFiles } from "./files.ts";
import type { LockFact, StackFact } from "./types.ts";

/** Of all job stacks, whose project is mayfly-job. */
const FOLDERS = {
  stacks: ".pulumi/stacks/mayfly-job",
  locks: ".pulumi/locks/organization/mayfly-job",
} as const;

/** What is in a backend of job stacks. */
export interface StateFacts {
  readonly stacks: readonly StackFact[];
  readonly locks: readonly LockFact[];
  /** State files of a form that this version does not know: what they list is not known, so they are left alone. */
  readonly strange: readonly string[];
}

/** Stacks of jobs, those among them whose state can't be read, and all locks. */
export async function listState(backend: BackendFiles): Promise<StateFacts> {
  const [files, locks] = await Promise.all([listStacks(backend), listLocks(backend)]);
  return {
    stacks: files.flatMap(({ state, ...file }) =>
      state === "strange" ? [] : [{ ...file, state: state === "broken" ? undefined : state }],
    ),
    locks,
    strange: files.flatMap(({ state, path }) => (state === "strange" ? [path] : [])),
  };
}

type StackFile = Omit<StackFact, "state"> & { readonly state: ReadState };

async function listStacks(backend: BackendFiles): Promise<readonly StackFile[]> {
  const facts = (await backend.list(FOLDERS.stacks)).map(async ({ path, changedAt }) => {
    const stack = /^(.+)\.json(?:\.gz)?$/.exec(basename(path))?.[1];
    if (stack === undefined) return [];
    const bytes = await backend.read(path);
    return bytes === undefined ? [] : [{ stack, path, changedAt, state: readState(bytes) }];
  });
  return (await Promise.all(facts)).flat();
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

async function listLocks(backend: BackendFiles): Promise<readonly LockFact[]> {
  const facts = (await backend.list(FOLDERS.locks)).map(async ({ path, changedAt }) => {
    const bytes = await backend.read(path);
    if (bytes === undefined) return [];
    const owner = Owner.safeParse(parse(bytes)).data;
    const ownerLives = owner?.hostname === hostname() ? await pulumiLives(owner.pid) : undefined;
    return [{ stack: basename(dirname(path)), path, changedAt, ownerLives }];
  });
  return (await Promise.all(facts)).flat();
}
