import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import {
  LocalWorkspace,
  type PulumiFn,
  type EngineEvent as SdkEvent,
  Stack,
} from "@pulumi/pulumi/automation/index.js";
import { projectDir } from "../../base/paths.ts";
import { pulumiCommand } from "./command.ts";
import { translateEvent } from "./events.ts";
import type { OperationOptions, StackSummary } from "./types.ts";
import { createIn, inFolder, type Workplace } from "./workplace.ts";

/** Makes what `program` describes in a stack that exists. Without a preview: the plan was decided before. */
export async function up(
  place: Workplace,
  stack: string,
  program: PulumiFn,
  options: OperationOptions = {},
): Promise<void> {
  await inWorkspace(place, stack, program, options, async (workspace, onEvent) => {
    const selected = await Stack.select(stack, workspace);
    await selected.up({
      onEvent,
      color: "never",
      suppressProgress: true,
      suppressOutputs: true,
      ...packsOf(options),
      ...signalOf(options),
    });
  });
}

/** What `up` would do. Works on a state of its own that is thrown away. */
export async function preview(
  place: Workplace,
  stack: string,
  program: PulumiFn,
  options: OperationOptions = {},
): Promise<void> {
  await mkdir(place.folder, { recursive: true, mode: 0o700 });
  const state = await mkdtemp(join(place.folder, "preview-"));
  const apart: Workplace = { ...place, env: { ...place.env, PULUMI_BACKEND_URL: `file://${state}` } };
  try {
    await inWorkspace(apart, stack, program, options, async (workspace, onEvent) => {
      await createIn(workspace.workDir, stack, apart.env);
      const created = await Stack.select(stack, workspace);
      await created.preview({ onEvent, color: "never", ...packsOf(options), ...signalOf(options) });
    });
  } finally {
    await rm(state, { recursive: true, force: true });
  }
}

/**
 * An inline program makes the CLI ask us instead of starting a language host, which it would do even where no program is run, as in
 * a destroy.
 */
const NO_PROGRAM: PulumiFn = async () => {
  await Promise.resolve();
};

/**
 * The state is written once, at the end, instead of after each delete (a fifth of the CLI's work). Where it is killed before, the state still
 * names objects that are gone, which the next destroy finds gone. An `up` must not do so: it would lose track of what it made.
 */
const STATE_AT_THE_END = { PULUMI_SKIP_CHECKPOINTS: "true" };

/** Destroys what the state of a stack knows. Deletes go on beside those that fail. */
export async function destroy(
  place: Workplace,
  stack: string,
  options: OperationOptions = {},
): Promise<void> {
  const lazily: Workplace = { ...place, env: { ...place.env, ...STATE_AT_THE_END } };
  await inWorkspace(lazily, stack, NO_PROGRAM, options, async (workspace, onEvent) => {
    const selected = await Stack.select(stack, workspace);
    await selected.destroy({
      onEvent,
      color: "never",
      suppressProgress: true,
      suppressOutputs: true,
      continueOnError: true,
      ...signalOf(options),
    });
  });
}

/** Removes a stack's locks, whoever holds them. */
export async function unlock(place: Workplace, stack: string): Promise<void> {
  await inWorkspace(place, stack, undefined, {}, async (workspace) => {
    await (await Stack.select(stack, workspace)).cancel();
  });
}

/** Stacks of the project. */
export async function list(place: Workplace): Promise<readonly StackSummary[]> {
  return await inWorkspace(place, "list", undefined, {}, async (workspace) =>
    (await workspace.listStacks()).map(({ name, resourceCount, lastUpdate }) => ({
      stack: name.split("/").at(-1) ?? name,
      resources: resourceCount,
      updatedAt: lastUpdate,
    })),
  );
}

const POLICY_PACK = join(projectDir, "policy", "run");

/** Packs that the engine starts for an operation. */
export const packsOf = ({ policy }: OperationOptions): { policyPacks?: string[] } =>
  policy === true ? { policyPacks: [POLICY_PACK] } : {};

const signalOf = ({ signal }: OperationOptions): { signal?: AbortSignal } =>
  signal === undefined ? {} : { signal };

/** Runs one operation of the SDK in a workspace of its own. */
async function inWorkspace<T>(
  place: Workplace,
  stack: string,
  program: PulumiFn | undefined,
  options: OperationOptions,
  work: (workspace: LocalWorkspace, onEvent: (event: SdkEvent) => void) => Promise<T>,
): Promise<T> {
  return await inFolder(place, stack, options, async (workDir, onEvent) => {
    const workspace = await LocalWorkspace.create({
      workDir,
      pulumiCommand: pulumiCommand(),
      envVars: { ...place.env },
      ...(program === undefined ? {} : { program }),
    });
    return await work(workspace, (event) => {
      const translated = translateEvent(event);
      if (translated !== undefined) onEvent(translated);
    });
  });
}
