import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type Document, isMap, parseDocument, visit } from "yaml";
import { z } from "zod";
import { EXIT, UserError } from "../base/errors.ts";
import { cacheDir, projectDir } from "../base/paths.ts";
import { childEnv } from "../base/process.ts";
import { provideTools } from "../lab/tools/index.ts";
import { hostPlugins, type PluginHost } from "./host.ts";
import type { ConfigSource, SimulationOptions } from "./types.ts";

/** No secret: a simulation holds none, and Pulumi wants a passphrase. */
const PASSPHRASE = "simulated, not a secret";

/** What `pulumi stack init` wrote for that passphrase once: no need to ask it each time. */
const SALT = "v1:x4CUfP2TBAA=:v1:U6OqqHHzVC/Urz3H:sw5At3/XqCHbpNLeFXskO8qLf+UzFQ==";

/** Variables that would let a program reach a real cloud or cluster. */
const CREDENTIALS =
  /^(AWS_(?!REGION$|DEFAULT_REGION$)|KUBECONFIG$|PULUMI_(ACCESS_TOKEN|BACKEND_URL|HOME|CONFIG_PASSPHRASE))/;

/** Folders and environment of a simulation. */
export interface Workspace {
  /** Holds Pulumi.yaml and the stack's config. */
  readonly folder: string;
  readonly root: string;
  readonly stack: string;
  readonly plugins: PluginHost;
  readonly env: Readonly<Record<string, string>>;
  /** Takes another config. */
  readonly configure: (config: ConfigSource | undefined) => Promise<void>;
  /** True where the folders go when the simulation is closed. */
  readonly temporary: boolean;
}

const ProjectFile = z.looseObject({ name: z.string().min(1), main: z.string().optional() });

/**
 * Makes the folders of a simulation: plugins, state, and a copy of the project's files whose `main` points to the original.
 *
 * @throws UserError `simulation-project`, `simulation-config`, `simulation-credentials`, and those of `provideTools`.
 */
export async function makeWorkspace(options: SimulationOptions): Promise<Workspace> {
  const source = resolve(options.projectDir);
  const text = await readProject(source);
  const document = parseDocument(text);
  const parsed = ProjectFile.safeParse(document.toJS());
  if (!parsed.success)
    throw new UserError("simulation-project", "Pulumi.yaml has no name.", {
      path: join(source, "Pulumi.yaml"),
    });
  document.set("main", resolve(source, parsed.data.main ?? "."));
  const env = await environment(options.env ?? {});

  const temporary = options.stateDir === undefined;
  const root =
    options.stateDir === undefined
      ? await mkdtemp(join(tmpdir(), "mayfly-simulation-"))
      : resolve(options.stateDir);
  const folder = join(root, "project");
  const [plugins] = await Promise.all([
    hostPlugins(root),
    mkdir(folder, { recursive: true }),
    mkdir(join(root, "tmp"), { recursive: true }),
  ]);
  await Promise.all([
    writeFile(join(folder, "Pulumi.yaml"), document.toString()),
    makeStack(join(root, "state"), parsed.data.name, options.stack),
  ]);
  const defaultConfig = join(source, `Pulumi.${options.stack}.yaml`);
  const configure = async (config: ConfigSource | undefined): Promise<void> => {
    const from = config ?? (existsSync(defaultConfig) ? { file: defaultConfig } : { text: "" });
    await writeFile(join(folder, `Pulumi.${options.stack}.yaml`), await stackConfig(from));
  };
  const workspace: Workspace = {
    folder,
    root,
    stack: options.stack,
    plugins,
    configure,
    temporary,
    env: {
      ...env,
      // What a killed CLI or program leaves there goes with the rest.
      TMPDIR: options.env?.["TMPDIR"] ?? join(root, "tmp"),
      PULUMI_HOME: plugins.home,
      PULUMI_BACKEND_URL: `file://${join(root, "state")}?metadata=skip`,
    },
  };
  try {
    await configure(options.config);
  } catch (error) {
    await removeWorkspace(workspace);
    throw error;
  }
  return workspace;
}

/**
 * An empty stack as `pulumi stack init` writes it, which takes the CLI 0.35 s: the third version of the checkpoint, from 2018, is still the
 * current one (sdk/go/common/apitype/core.go of pulumi/pulumi).
 */
async function makeStack(state: string, project: string, stack: string): Promise<void> {
  const folder = join(state, ".pulumi", "stacks", project);
  const path = join(folder, `${stack}.json`);
  if (existsSync(path)) return;
  await mkdir(folder, { recursive: true });
  await writeFile(join(state, ".pulumi", "meta.yaml"), "version: 1\n");
  await writeFile(
    path,
    JSON.stringify({ version: 3, checkpoint: { stack: `organization/${project}/${stack}` } }),
  );
}

async function readProject(folder: string): Promise<string> {
  const path = join(folder, "Pulumi.yaml");
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new UserError("simulation-project", "There is no Pulumi project here.", {
      path,
      cause,
      hint: "Name the folder of a Pulumi.yaml.",
      exitCode: EXIT.missingInput,
    });
  }
}

/** The whole environment of the CLI and all below it: https://www.pulumi.com/docs/iac/cli/environment-variables/ */
async function environment(extra: Readonly<Record<string, string>>): Promise<Record<string, string>> {
  const refused = Object.keys(extra).find((name) => CREDENTIALS.test(name));
  if (refused !== undefined)
    throw new UserError("simulation-credentials", `${refused} has no place in a simulation.`, {
      hint: "It needs no account and no cluster, and must not reach any.",
    });
  const { pulumi } = await provideTools(["pulumi"]);
  const base = childEnv();
  return {
    ...base,
    PATH: [pulumi.bin, join(projectDir, "node_modules", "node", "bin"), base["PATH"] ?? ""].join(":"),
    PULUMI_CONFIG_PASSPHRASE: PASSPHRASE,
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    // A real plugin that happens to be on PATH must not be taken.
    PULUMI_IGNORE_AMBIENT_PLUGINS: "true",
    PULUMI_ERROR_OUTPUT_STRING: "true",
    PULUMI_SUPPRESS_NEO_LINK: "true",
    PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS: "true",
    // Without it the state is written after each step, 250 times for 250 resources. A simulated one may be lost.
    PULUMI_SKIP_CHECKPOINTS: "true",
    // Shows `--event-log`.
    PULUMI_DEBUG_COMMANDS: "true",
    NODE_COMPILE_CACHE: base["NODE_COMPILE_CACHE"] ?? join(cacheDir(), "node"),
    NODE_OPTIONS: `--require=${JSON.stringify(join(projectDir, "simulation", "preload.cjs"))} --max-semi-space-size=64`,
    ...extra,
  };
}

/** Keys by which a stack's file says how its secrets are encrypted: those of the real stack are of no use here. */
const ENCRYPTION = ["encryptionsalt", "secretsprovider", "encryptedkey"];

/** The config to run with: the given one, with the simulation's own way to encrypt. */
async function stackConfig(config: ConfigSource): Promise<string> {
  const where = "file" in config ? config.file : undefined;
  const text = "text" in config ? config.text : await readConfig(config.file);
  const document = parseDocument(text);
  const [problem] = document.errors;
  if (problem !== undefined)
    throw new UserError("simulation-config", problem.message, { path: where, cause: problem });
  refuseSecrets(document, where);
  for (const key of ENCRYPTION) if (isMap(document.contents)) document.delete(key);
  document.set("encryptionsalt", SALT);
  return document.toString();
}

async function readConfig(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new UserError("simulation-config", "The stack's config can't be read.", {
      path,
      cause,
      exitCode: EXIT.missingInput,
    });
  }
}

/** An encrypted value can't be read here: its passphrase or key is not ours to have. */
function refuseSecrets(document: Document, path: string | undefined): void {
  visit(document, {
    Pair: (_, pair) => {
      if (String(pair.key) !== "secure") return;
      throw new UserError(
        "simulation-secret",
        "The config holds an encrypted value, which a simulation can't read.",
        {
          path,
          hint: "Replace it in a copy of the config, or keep secrets out of Pulumi.",
        },
      );
    },
  });
}

/** Ends the plugins, and removes the folders of a temporary simulation. */
export async function removeWorkspace({ root, temporary, plugins }: Workspace): Promise<void> {
  plugins.close();
  if (temporary) await rm(root, { recursive: true, force: true, maxRetries: 3 });
}
