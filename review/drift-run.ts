import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseDocument } from "yaml";
import { z } from "zod";
import { EXIT, UserError } from "../base/errors.ts";
import { childEnv, execute, type Finished } from "../base/process.ts";
import { type DriftReport, driftOf } from "./drift.ts";
import { readRefresh } from "./drift-events.ts";

/** Which stack to look at. */
export interface DriftOptions {
  /** Folder with Pulumi.yaml. */
  readonly projectDir: string;
  readonly stack: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Asks the real cloud and cluster, by a preview of a refresh, what is no longer as the last update left it. Changes nothing, neither
 * there nor in the state.
 * @throws UserError `stack-file-missing`, `drift-failed`, `other-cluster`.
 */
export async function findDrift({ projectDir, stack, signal }: DriftOptions): Promise<DriftReport> {
  const folder = await mkdtemp(join(tmpdir(), "mayfly-drift-"));
  try {
    // A copy, since Pulumi may write to a stack's file.
    const [project, config] = await Promise.all([
      readProjectFile(projectDir, "Pulumi.yaml"),
      readProjectFile(projectDir, `Pulumi.${stack}.yaml`),
    ]);
    const document = parseDocument(project);
    document.set("main", resolve(projectDir, z.string().default("").parse(document.get("main"))));
    await writeFile(join(folder, "Pulumi.yaml"), document.toString());
    await writeFile(join(folder, `Pulumi.${stack}.yaml`), config);
    const log = join(folder, "events");
    const finished = await refresh(folder, stack, log, signal);
    const { refreshed, errors, moved } = readRefresh(await readFile(log, "utf8").catch(() => ""));
    if (finished.code !== 0) throw failure(stack, errors, finished);
    if (moved !== undefined) throw otherCluster(stack, moved);
    return driftOf(stack, refreshed);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function readProjectFile(projectDir: string, name: string): Promise<string> {
  const path = join(projectDir, name);
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new UserError("stack-file-missing", "There is no such environment here.", {
      path,
      cause,
      exitCode: EXIT.missingInput,
    });
  }
}

async function refresh(
  folder: string,
  stack: string,
  log: string,
  signal: AbortSignal | undefined,
): Promise<Finished> {
  try {
    return await execute(
      "pulumi",
      ["refresh", "--stack", stack, "--preview-only", "--non-interactive", "--event-log", log],
      {
        cwd: folder,
        // PULUMI_DEBUG_COMMANDS shows the flag --event-log.
        env: childEnv({ ...callersOwn(), PULUMI_DEBUG_COMMANDS: "true" }),
        ...(signal === undefined ? {} : { signal, killSignal: "SIGINT" }),
      },
    );
  } catch (cause) {
    if (signal?.aborted === true) throw cause;
    throw new UserError("pulumi-missing", "Pulumi can't be started.", {
      exitCode: EXIT.unavailable,
      hint: 'Put it on PATH; for the lab: eval "$(npx mayfly lab env)"',
      cause,
    });
  }
}

/** What the caller's own `pulumi refresh` would see: state, cluster and cloud credentials of their shell. */
const callersOwn = (): Record<string, string> =>
  Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      value !== undefined && /^(PULUMI_|AWS_|KUBECONFIG$)/.test(name) ? [[name, value] as const] : [],
    ),
  );

/** On another cluster everything is missing: no drift, and a refresh for real would forget all that the stack has made. */
const otherCluster = (stack: string, { before, now }: { before: string; now: string }): UserError =>
  new UserError(
    "other-cluster",
    `The kubeconfig leads to another cluster than at the last update of ${stack}. Then: ${before}. Now: ${now}.`,
    {
      hint: "Point it to the cluster of before. Don't run pulumi refresh, up --refresh or destroy until then.",
    },
  );

function failure(stack: string, errors: readonly string[], { stdout, stderr }: Finished): UserError {
  const said = errors.find((message) => !/^(preview|refresh|update) failed$/.test(message));
  const text = (said ?? (stderr.trim() || stdout.trim()))
    .replace(/^(error|Preview failed): /, "")
    // The plugin's advice to drop resources from the state: nothing that a report should suggest.
    .replace(/\. If the cluster was deleted,.*$/s, ".");
  return new UserError("drift-failed", `The drift of ${stack} can't be told: ${text}`, {
    exitCode: EXIT.unavailable,
    hint: `See: pulumi refresh --stack ${stack} --preview-only`,
  });
}
