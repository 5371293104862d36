// Boundary file for lab tests: the real Pulumi CLI on a state of its own, against the lab's cluster.
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
  LocalWorkspace,
  type LocalWorkspaceOptions,
  type PulumiFn,
} from "@pulumi/pulumi/automation/index.js";
import { parseDocument } from "yaml";
import { projectDir } from "../../base/paths.ts";
import { childEnv } from "../../base/process.ts";
import { pulumiVariables, readConnection } from "../../lab/connection.ts";
import { labPaths } from "../../lab/paths.ts";
import type { Plan } from "../../schema/plan.ts";

/** A folder with a project, and a state backend that nobody else uses. */
export interface Scratch {
  readonly folder: string;
  /** Environment of the CLI. */
  readonly env: Readonly<Record<string, string>>;
  /** Opens the project in the folder; with a program, it is the inline one. */
  readonly workspace: (program?: PulumiFn) => Promise<LocalWorkspace>;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
}

/**
 * @param files Name to text, such as Pulumi.yaml and Pulumi.<stack>.yaml.
 * @throws UserError `lab-missing`.
 */
export async function scratchProject(files: Readonly<Record<string, string>>): Promise<Scratch> {
  const connection = readConnection(labPaths());
  const root = await mkdtemp(join(tmpdir(), "mayfly-test-"));
  const folder = join(root, "project");
  const state = join(root, "state");
  await Promise.all([mkdir(folder), mkdir(state)]);
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  const env = childEnv({
    ...pulumiVariables(connection),
    PULUMI_BACKEND_URL: `file://${state}?metadata=skip`,
    PATH: [...connection.path, dirname(process.execPath), childEnv()["PATH"] ?? ""].join(":"),
  });
  // The Automation API starts the `pulumi` of this process's PATH, and an inline program runs in this process.
  Object.assign(process.env, { PATH: env["PATH"], KUBECONFIG: env["KUBECONFIG"] });
  return {
    folder,
    env,
    workspace: async (program) => {
      const options: LocalWorkspaceOptions = { workDir: folder, envVars: { ...env } };
      return await LocalWorkspace.create(program === undefined ? options : { ...options, program });
    },
    [Symbol.asyncDispose]: async () => {
      await rm(root, { recursive: true, force: true });
    },
  };
}

/**
 * The project of stacks/job as it is, in a scratch folder (Pulumi writes the stack's salt beside it), with a plan that
 * `planFile` names in the config of `stack`.
 */
export async function jobProject(stack: string, plan: Plan): Promise<Scratch> {
  const folder = join(projectDir, "stacks", "job");
  const project = parseDocument(await readFile(join(folder, "Pulumi.yaml"), "utf8"));
  project.set("main", join(folder, "index.ts"));
  const scratch = await scratchProject({
    "Pulumi.yaml": project.toString(),
    "plan.json": JSON.stringify(plan),
  });
  await writeFile(
    join(scratch.folder, `Pulumi.${stack}.yaml`),
    JSON.stringify({ config: { "mayfly-job:planFile": join(scratch.folder, "plan.json") } }),
  );
  return scratch;
}
