import { cp, mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EXIT, UserError } from "../base/errors.ts";
import { projectDir as mayflyDir } from "../base/paths.ts";
import { type Report, step } from "../base/progress.ts";
import { RULES } from "../policy/rules/index.ts";
import type { EnvironmentConfig } from "../schema/environment/index.ts";
import { openSimulation } from "../simulation/engine.ts";
import type { OperationResult } from "../simulation/types.ts";
import { type Base, findBase } from "./base.ts";
import { readableMessage } from "./messages.ts";
import { buildReview } from "./model.ts";
import { configIn, readStackFile, stackFileName } from "./stack-file.ts";
import { cachedState } from "./state-cache.ts";
import { withFolder } from "./temporary.ts";
import type { Review } from "./types.ts";

/** What to review. */
export interface ReviewOptions {
  /** Folder with Pulumi.yaml. */
  readonly projectDir: string;
  /** The environment: `prod` for Pulumi.prod.yaml. */
  readonly stack: string;
  /** `nothing`, a config file, or a git ref; undefined: HEAD, where the work tree differs from it, else nothing. */
  readonly against?: string | undefined;
  /** What a relative path of a config file is relative to. Default: the working directory. */
  readonly folder?: string | undefined;
  /** Whether Mayfly's policies are checked. */
  readonly policy: boolean;
  /** Says nothing on standard error while it works. */
  readonly quiet?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reviews an environment's config on the real engine with a simulated cloud.
 * @throws UserError for what the user can mend: `no-such-stack`, `config-invalid`, `no-such-ref`, `base-broken`, and those of the simulation.
 *   A change that the engine or a policy refuses is no error but a review that says so.
 */
export async function reviewEnvironment(options: ReviewOptions): Promise<Review> {
  const { projectDir, stack, against, signal } = options;
  const file = stackFileName(stack);
  const text = await readStackFile(projectDir, stack);
  const config = configIn(text, file);
  const base = await findBase({
    projectDir,
    stack,
    config: text,
    against,
    folder: options.folder ?? process.cwd(),
  });

  const before = base.kind === "nothing" ? undefined : await baseState(base, options);
  const { result, notice } = await inWorkFolder(async (work, env) => {
    const stateDir = join(work, "simulation");
    // A copy: another preview may be at work with the same state and another config.
    if (before === undefined) await mkdir(stateDir);
    else await cp(before, stateDir, { recursive: true, preserveTimestamps: true });
    await using simulation = await openSimulation({ projectDir, stack, config: { text }, stateDir, env });
    const seen = await progress(options, `Previewing ${stack}`, async (report) => {
      return await simulation.preview({
        signal,
        onStep: counter(report),
        ...(options.policy ? { policyPacks: [POLICY_PACK] } : {}),
      });
    });
    return { result: seen, notice: simulation.notice };
  });
  return buildReview({
    environment: stack,
    comparedWith: base.comparedWith,
    notice,
    result,
    config,
    before: base.kind === "nothing" ? undefined : configBefore(base),
    rules: options.policy ? RULES.length : undefined,
  });
}

/** A folder for all that the engine and its processes put anywhere, so that nothing of it stays when they are stopped. */
const inWorkFolder = async <T>(
  work: (folder: string, env: Readonly<Record<string, string>>) => Promise<T>,
): Promise<T> =>
  await withFolder(join(tmpdir(), "mayfly-review-"), async (folder) => {
    const TMPDIR = join(folder, "tmp");
    await mkdir(TMPDIR);
    return await work(folder, { TMPDIR });
  });

/** This checkout's, whatever project is reviewed. */
const POLICY_PACK = join(mayflyDir, "policy", "run");

type ProgramBase = Extract<Base, { kind: "program" }>;

/** The state that the base leaves behind, simulated once. */
async function baseState(base: ProgramBase, options: ReviewOptions): Promise<string> {
  const { stack, signal } = options;
  const key = { stack, program: base.program, config: base.config };
  const { stateDir } = await cachedState(key, async (fresh) => {
    await progress(options, `Simulating what is there: ${base.configName}`, async (report) => {
      const projectDir = await base.projectDir();
      const config = { text: base.config };
      await inWorkFolder(async (_, env) => {
        await using simulation = await openSimulation({ projectDir, stack, config, stateDir: fresh, env });
        const result = await simulation.up({ signal, onStep: counter(report) });
        if (!result.succeeded) throw baseBroken(base, result);
      });
    });
  });
  return stateDir;
}

function baseBroken({ configName }: ProgramBase, { diagnostics }: OperationResult): UserError {
  const messages = diagnostics
    .filter(({ severity }) => severity === "error")
    .map(({ message }) => readableMessage(message));
  return new UserError(
    "base-broken",
    `What to compare with can't be simulated: ${messages.join("\n") || "the engine gave no reason"}`,
    {
      path: configName,
      hint: "Compare with another commit, or with nothing: --against nothing",
      exitCode: EXIT.invalidInput,
    },
  );
}

/** A config of an older form can't be priced; its program could still be simulated. */
function configBefore(base: ProgramBase): EnvironmentConfig | { readonly unknown: string } {
  try {
    return configIn(base.config, base.configName);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { unknown: `the config of ${base.configName} is not one of today's form` };
  }
}

function counter(report: Report): () => void {
  let count = 0;
  return () => {
    count++;
    report(`${count} resources`);
  };
}

const progress = async <T>(
  { quiet }: ReviewOptions,
  name: string,
  work: (report: Report) => Promise<T>,
): Promise<T> => (quiet === true ? await work(() => undefined) : await step(name, work));
