import { existsSync, readFileSync } from "node:fs";
import { access, chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type Document, isMap, parseDocument, visit } from "yaml";
import { z } from "zod";
import { EXIT, UserError } from "../base/errors.ts";
import { cacheDir, projectDir } from "../base/paths.ts";
import { childEnv } from "../base/process.ts";
import { provideTools } from "../lab/tools/index.ts";
import type { ConfigSource, SimulationOptions } from "./types.ts";

/** Packages with a stand-in. Here `kubernetes` is simulated too; the lab has another stand-in, which works on a real cluster. */
export const SIMULATED = ["aws", "eks", "kubernetes"] as const;

/** No secret: a simulation holds none, and Pulumi wants a passphrase. */
const PASSPHRASE = "simulated, not a secret";

/** Variables that would let a program reach a real cloud or cluster. */
const CREDENTIALS =
  /^(AWS_(?!REGION$|DEFAULT_REGION$)|KUBECONFIG$|PULUMI_(ACCESS_TOKEN|BACKEND_URL|HOME|CONFIG_PASSPHRASE))/;

/** Folders and environment of a simulation. */
export interface Workspace {
  /** Holds Pulumi.yaml and the stack's config. */
  readonly folder: string;
  readonly root: string;
  readonly stack: string;
  readonly project: string;
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
  const home = join(root, "home");
  const state = join(root, "state");
  await Promise.all([
    mkdir(folder, { recursive: true }),
    mkdir(state, { recursive: true }),
    writePlugins(home),
  ]);
  await writeFile(join(folder, "Pulumi.yaml"), document.toString());
  const configFile = join(folder, `Pulumi.${options.stack}.yaml`);
  const defaultConfig = join(source, `Pulumi.${options.stack}.yaml`);
  const configure = async (config: ConfigSource | undefined): Promise<void> => {
    const from = config ?? (existsSync(defaultConfig) ? { file: defaultConfig } : { text: "" });
    await writeFile(configFile, await stackConfig(from, configFile));
  };
  await configure(options.config);
  return {
    folder,
    root,
    stack: options.stack,
    project: parsed.data.name,
    configure,
    temporary,
    env: {
      ...env,
      PULUMI_HOME: home,
      PULUMI_BACKEND_URL: `file://${state}?metadata=skip`,
    },
  };
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
    ...extra,
  };
}

/** The engine looks for plugins by exactly these names: pkg/workspace/plugins.go in pulumi/pulumi. */
async function writePlugins(home: string): Promise<void> {
  await Promise.all(
    SIMULATED.map(async (name) => {
      const version = sdkVersion(name);
      const folder = join(home, "plugins", `resource-${name}-v${version}`);
      const path = join(folder, `pulumi-resource-${name}`);
      await mkdir(folder, { recursive: true });
      const command = [
        join(projectDir, "node_modules", "node", "bin", "node"),
        "--disable-warning=ExperimentalWarning",
        "--max-semi-space-size=4",
        join(projectDir, "simulation", "plugins", "main.ts"),
        name,
        version,
      ];
      await writeFile(
        path,
        `#!/bin/sh\n# Mayfly's simulation of ${name}.\nexec ${command.map(quote).join(" ")} "$@"\n`,
      );
      await chmod(path, 0o755);
    }),
  );
}

const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** The version of the npm package of a plugin: the engine asks for the plugin of the same version. */
function sdkVersion(name: string): string {
  const path = join(projectDir, "node_modules", "@pulumi", name, "package.json");
  return z.object({ version: z.string().min(1) }).parse(JSON.parse(readFileSync(path, "utf8"))).version;
}

/** Keys by which a stack's file says how its secrets are encrypted: those of the real stack are of no use here. */
const ENCRYPTION = ["encryptionsalt", "secretsprovider", "encryptedkey"];

/** The config to run with: the given one, and the salt of the copy that it replaces, which the state is bound to. */
async function stackConfig(config: ConfigSource, copy: string): Promise<string> {
  const where = "file" in config ? config.file : undefined;
  const text = "text" in config ? config.text : await readConfig(config.file);
  const document = parseDocument(text);
  const [problem] = document.errors;
  if (problem !== undefined)
    throw new UserError("simulation-config", problem.message, { path: where, cause: problem });
  refuseSecrets(document, where);
  for (const key of ENCRYPTION) if (isMap(document.contents)) document.delete(key);
  const salt = await saltOf(copy);
  if (salt !== undefined) document.set("encryptionsalt", salt);
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

async function saltOf(path: string): Promise<string | undefined> {
  try {
    await access(path);
  } catch {
    return undefined;
  }
  const salt: unknown = parseDocument(await readFile(path, "utf8")).get("encryptionsalt");
  return typeof salt === "string" ? salt : undefined;
}

/** Removes the folders of a temporary simulation. */
export async function removeWorkspace({ root, temporary }: Workspace): Promise<void> {
  if (temporary) await rm(root, { recursive: true, force: true, maxRetries: 3 });
}

/** Whether the stack has been made. */
export const hasStack = ({ root, project, stack }: Workspace): boolean =>
  existsSync(join(root, "state", ".pulumi", "stacks", project, `${stack}.json`));
