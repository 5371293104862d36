import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { UserError } from "../base/errors.ts";
import { runPulumi } from "./command.ts";
import { nothingTold, type Told, take } from "./events.ts";
import { followLines } from "./follow.ts";
import { UNMODELLED } from "./plugins/aws/provider.ts";
import { PACKAGE_NAMES } from "./plugins/packages.ts";
import type {
  JsonRecord,
  OperationOptions,
  OperationResult,
  Simulation,
  SimulationOptions,
} from "./types.ts";
import { makeWorkspace, removeWorkspace, type Workspace } from "./workspace.ts";

export type * from "./types.ts";
export { SECRET, UNKNOWN } from "./types.ts";

/** Said on every output that is made of a simulation. */
export const NOTICE = `Simulated: stand-ins for the ${PACKAGE_NAMES.join(", ")} providers, no account, no cluster, no network (docs/simulation.md).`;

type Command = "preview" | "up" | "refresh" | "destroy";

/**
 * Opens a stack of a Pulumi project on the real engine, with stand-in plugins for aws, eks and kubernetes: no account, no cluster,
 * no network. Several may be open at once, each in its own folders.
 *
 * `await using prod = await openSimulation({ projectDir, stack: "prod" }); const { steps } = await prod.preview();`
 *
 * @throws UserError `simulation-project`, `simulation-config`, `simulation-secret`, `simulation-credentials`; `simulation-failed` where
 * the CLI itself fails. A program or policy that fails is no error: see `succeeded` of the result.
 */
export async function openSimulation(options: SimulationOptions): Promise<Simulation> {
  const workspace = await makeWorkspace(options);
  const close = async (): Promise<void> => {
    await removeWorkspace(workspace);
  };
  const operation =
    (command: Command, ...args: readonly string[]) =>
    async (how: OperationOptions = {}): Promise<OperationResult> =>
      await operate(workspace, command, args, how);
  return {
    notice: NOTICE,
    preview: operation("preview"),
    up: operation("up", "--yes", "--skip-preview"),
    refresh: operation("refresh", "--yes", "--skip-preview"),
    destroy: operation("destroy", "--yes", "--skip-preview"),
    previewDestroy: operation("destroy", "--preview-only"),
    configure: workspace.configure,
    resources: async () => await resources(workspace),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Runs the CLI for something that has to work. */
async function pulumi(workspace: Workspace, args: readonly string[]): Promise<string> {
  const finished = await runPulumi(args, run(workspace));
  if (finished.code === 0) return finished.stdout;
  throw new UserError("simulation-failed", `pulumi ${args.slice(0, 2).join(" ")}: ${finished.stderr.trim()}`);
}

const run = (workspace: Workspace, signal?: AbortSignal): Parameters<typeof runPulumi>[1] => ({
  cwd: workspace.folder,
  env: workspace.env,
  signal,
  cleanUp: async () => {
    await removeWorkspace(workspace);
  },
});

async function operate(
  workspace: Workspace,
  command: Command,
  args: readonly string[],
  { policyPacks = [], refresh = false, signal, onStep }: OperationOptions,
): Promise<OperationResult> {
  const started = performance.now();
  const folder = await mkdtemp(join(workspace.root, "events-"));
  const log = join(folder, "events.jsonl");
  try {
    await workspace.plugins.refill();
    const told = nothingTold();
    const follow = followLines(log, (line) => {
      const step = take(told, line);
      if (step !== undefined) onStep?.(step);
    });
    const finished = await runPulumi(
      argumentsOf(workspace, command, args, log, { policyPacks, refresh }),
      run(workspace, signal),
    ).finally(follow.end);
    if (finished.code !== 0) explain(told, finished.stderr, finished.stdout);
    return resultOf(told, finished.code === 0, performance.now() - started);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function argumentsOf(
  workspace: Workspace,
  command: Command,
  args: readonly string[],
  log: string,
  { policyPacks, refresh }: Required<Pick<OperationOptions, "policyPacks" | "refresh">>,
): readonly string[] {
  const runsProgram = command === "preview" || command === "up";
  return [
    command,
    ...args,
    ...["--stack", workspace.stack, "--event-log", log, "--suppress-outputs"],
    ...(runsProgram ? ["--suppress-progress"] : []),
    ...(refresh === true && command !== "refresh" ? ["--refresh"] : []),
    ...(runsProgram ? (policyPacks ?? []).flatMap((path) => ["--policy-pack", path]) : []),
  ];
}

/** A CLI that stops before its engine starts tells it in its own output only. */
function explain(told: Told, stderr: string, stdout: string): void {
  if (told.diagnostics.some(({ severity }) => severity === "error")) return;
  if (told.violations.some(({ level }) => level === "mandatory")) return;
  const text = stderr.trim() === "" ? stdout.trim() : stderr.trim();
  told.diagnostics.push({ severity: "error", message: text.replace(/^error: /, ""), urn: undefined });
}

function resultOf(told: Told, succeeded: boolean, milliseconds: number): OperationResult {
  const steps = [...told.steps.values()];
  const outputs: JsonRecord = steps.find(({ type }) => type === "pulumi:pulumi:Stack")?.outputs ?? {};
  const unmodelled = told.diagnostics.flatMap(({ message }) => {
    const [type = ""] = message.split(` ${UNMODELLED}`);
    return type === message ? [] : [type.replace(/^.*\s/, "")];
  });
  return {
    steps,
    diagnostics: told.diagnostics,
    violations: told.violations,
    succeeded,
    outputs,
    unmodelled: [...new Set(unmodelled)].sort(),
    milliseconds,
  };
}

const Exported = z.looseObject({
  deployment: z.looseObject({ resources: z.array(z.looseObject({ urn: z.string() })).nullish() }).nullable(),
});

async function resources(workspace: Workspace): Promise<readonly string[]> {
  const text = await pulumi(workspace, ["stack", "export", "--stack", workspace.stack]);
  const { deployment } = Exported.parse(JSON.parse(text));
  return (deployment?.resources ?? []).map(({ urn }) => urn);
}
