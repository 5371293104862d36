import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  LocalWorkspace,
  type PulumiFn,
  type EngineEvent as SdkEvent,
  Stack,
} from "@pulumi/pulumi/automation/index.js";
import { CliFailed, pulumiCommand } from "./command.ts";
import { classifyFailure, EngineFailure } from "./errors.ts";
import { translateEvent } from "./events.ts";
import type { EngineEvent, EngineResource, OperationOptions, StackSummary } from "./types.ts";

/** Where an operation works. */
export interface Workplace {
  /** Folder in which each operation makes, and then removes, a folder of its own. */
  readonly folder: string;
  /** Overrides of the process's environment for the CLI and its plugins. */
  readonly env?: Readonly<Record<string, string>>;
}

/** The Pulumi project that all job stacks belong to: stacks/job. */
const PROJECT = "mayfly-job";

/** Every Kubernetes object names its provider: the default one would talk to whatever cluster the shell points to. */
const STACK_CONFIG = { "pulumi:disable-default-providers": ["*"] };

/** Creates a new, empty stack. */
export async function createStack(place: Workplace, stack: string): Promise<void> {
  await inWorkspace(place, stack, undefined, {}, async (workspace) => {
    await Stack.create(stack, workspace);
  });
}

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
): Promise<readonly EngineResource[]> {
  await mkdir(place.folder, { recursive: true, mode: 0o700 });
  const state = await mkdtemp(join(place.folder, "preview-"));
  const rows: EngineResource[] = [];
  const collect = (event: EngineEvent): void => {
    if (event.type === "started")
      rows.push({ kind: event.kind, name: event.name, operation: event.operation });
    options.onEvent?.(event);
  };
  const apart: Workplace = { ...place, env: { ...place.env, PULUMI_BACKEND_URL: `file://${state}` } };
  try {
    await inWorkspace(apart, stack, program, { ...options, onEvent: collect }, async (workspace, onEvent) => {
      const created = await Stack.create(stack, workspace);
      await created.preview({ onEvent, color: "never", ...signalOf(options) });
    });
    return rows;
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

/** Destroys what the state of a stack knows, then removes the stack. Deletes go on beside those that fail. */
export async function destroy(
  place: Workplace,
  stack: string,
  options: OperationOptions = {},
): Promise<void> {
  await inWorkspace(place, stack, NO_PROGRAM, options, async (workspace, onEvent) => {
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

const signalOf = ({ signal }: OperationOptions): { signal?: AbortSignal } =>
  signal === undefined ? {} : { signal };

/** Runs one operation in a folder of its own and turns whatever goes wrong into an {@link EngineFailure}. */
async function inWorkspace<T>(
  place: Workplace,
  stack: string,
  program: PulumiFn | undefined,
  options: OperationOptions,
  work: (workspace: LocalWorkspace, onEvent: (event: SdkEvent) => void) => Promise<T>,
): Promise<T> {
  await mkdir(place.folder, { recursive: true, mode: 0o700 });
  const folder = await mkdtemp(join(place.folder, `${stack.slice(-40)}-`));
  const seen = new Failures();
  try {
    // JSON is YAML: written here, so that no `config set` has to be called.
    await writeFile(join(folder, "Pulumi.yaml"), JSON.stringify({ name: PROJECT, runtime: "nodejs" }));
    await writeFile(join(folder, `Pulumi.${stack}.yaml`), JSON.stringify({ config: STACK_CONFIG }));
    const workspace = await LocalWorkspace.create({
      workDir: folder,
      pulumiCommand: pulumiCommand(),
      envVars: { ...place.env },
      ...(program === undefined ? {} : { program }),
    });
    return await work(workspace, (event) => {
      const translated = translateEvent(event);
      if (translated === undefined) return;
      seen.add(translated);
      options.onEvent?.(translated);
    });
  } catch (error) {
    throw seen.toFailure(error, options.signal?.aborted === true);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Remembers the errors that the engine reported while an operation ran. */
class Failures {
  readonly #resources: { kind: string; name: string; message: string }[] = [];
  readonly #diagnostics: string[] = [];

  add(event: EngineEvent): void {
    if (event.type === "policy" && event.mandatory)
      this.#diagnostics.push(`${event.policy}: ${event.message}`);
    if (event.type !== "diagnostic" || event.severity !== "error") return;
    if (event.resource === undefined) this.#diagnostics.push(event.message);
    else this.#resources.push({ ...event.resource, message: event.message });
  }

  toFailure(error: unknown, interrupted: boolean): EngineFailure {
    const output = error instanceof CliFailed ? error.output : `error: ${String(error)}`;
    return new EngineFailure(
      classifyFailure({ output, interrupted, resources: this.#resources, diagnostics: this.#diagnostics }),
    );
  }
}
