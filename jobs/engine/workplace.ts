import { access, constants, mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isProbe } from "./backend-watch.ts";
import { CliFailed, runPulumi } from "./command.ts";
import { classifyFailure, EngineFailure } from "./errors.ts";
import { PROJECT } from "./project.ts";
import { createStackFile, removeStackFiles } from "./state-files.ts";
import type { EngineEvent, OperationOptions, PolicyViolation } from "./types.ts";

/** Where an operation works. */
export interface Workplace {
  /** Folder in which each operation makes, and then removes, a folder of its own. */
  readonly folder: string;
  /** The whole environment of the CLI and its plugins: `engineEnv`. */
  readonly env: Readonly<Record<string, string>>;
}

/** Every Kubernetes object names its provider: the default one would talk to whatever cluster the shell points to. */
const STACK_CONFIG = { "pulumi:disable-default-providers": ["*"] };

/**
 * Creates a new, empty stack: as a file where the backend is a folder, else by the CLI directly, as the SDK does it, so that it is made while
 * the SDK is still being loaded.
 */
export async function createStack(place: Workplace, stack: string): Promise<void> {
  try {
    await inFolder(place, stack, {}, async (folder) => {
      const done = (await canUse(place)) ? await createStackFile(backendOf(place), stack) : "other";
      if (done === "exists") throw new CliFailed(`error: stack '${stack}' already exists`);
      if (done === "other") await createIn(folder, stack, place.env);
    });
  } catch (error) {
    await removeHalfFiles(place, stack);
    throw error;
  }
}

/** Whether Pulumi and its passphrase are there: what is amiss is told by Pulumi, and now rather than when objects are to be made. */
async function canUse({ env }: Workplace): Promise<boolean> {
  const passphrase = env["PULUMI_CONFIG_PASSPHRASE_FILE"];
  const folders = (env["PATH"] ?? "").split(":").filter((folder) => folder !== "");
  const found = await Promise.all([
    passphrase === undefined || isThere(passphrase, constants.R_OK),
    Promise.any(folders.map((folder) => access(join(folder, "pulumi"), constants.X_OK))).then(
      () => true,
      () => false,
    ),
  ]);
  return found.every((there) => there);
}

const isThere = async (path: string, mode: number): Promise<boolean> =>
  await access(path, mode).then(
    () => true,
    () => false,
  );

const backendOf = ({ env }: Workplace): string => env["PULUMI_BACKEND_URL"] ?? "";

/**
 * Creates it by the CLI, in a folder that is there.
 * `--no-select`: else a file that remembers the choice is left in PULUMI_HOME for each folder that an operation worked in.
 */
export async function createIn(folder: string, stack: string, env: Workplace["env"]): Promise<void> {
  await runPulumi(["stack", "init", stack, "--no-select"], folder, env);
}

/** Removes an empty stack. Without `--remove-backups` (so also by `destroy --remove`) a copy of the last state would stay. */
export async function removeStack(place: Workplace, stack: string): Promise<void> {
  await inFolder(place, stack, {}, async (folder) => {
    if ((await removeStackFiles(backendOf(place), stack)) === "done") return;
    await runPulumi(["stack", "rm", stack, "--yes", "--remove-backups"], folder, place.env);
  });
  await removeHalfFiles(place, stack);
}

/** A state without resources, in the form of `pulumi stack export`. */
const EMPTY_STATE = {
  version: 3,
  deployment: { manifest: { time: "2020-01-01T00:00:00Z", magic: "", version: "" } },
};

/**
 * Removes a stack whose state is half a file, which `pulumi stack rm --force` refuses to read, or is gone but for its copies and history:
 * an empty one is put in its place and removed with them.
 */
export async function forgetStack(place: Workplace, stack: string): Promise<void> {
  await removeHalfFiles(place, stack);
  await inFolder(place, stack, {}, async (folder) => {
    const file = join(folder, "empty.json");
    await writeFile(file, JSON.stringify(EMPTY_STATE));
    try {
      await runPulumi(["stack", "import", "--stack", stack, "--file", file, "--force"], folder, place.env);
    } catch (error) {
      if (new Failures().toFailure(error, false).error.kind !== "not-found") throw error;
      await createIn(folder, stack, place.env);
    }
  });
  await removeStack(place, stack);
}

/**
 * Who dies, or finds the disk full, while it writes a lock or a state into a backend of files leaves a temporary file there. Pulumi takes
 * that of a lock for somebody's, fails to read it, and refuses each operation on the stack from then on. Locks themselves are left alone;
 * tries of backend-watch.ts go too.
 */
async function removeHalfFiles(place: Workplace, stack: string): Promise<void> {
  const backend = backendOf(place);
  if (!backend.startsWith("file:///")) return;
  const root = join(fileURLToPath(backend), ".pulumi");
  const sweep = async (folder: string, isLeft: (name: string) => boolean): Promise<void> => {
    const names = await readdir(folder).catch(() => []);
    await Promise.all(names.filter(isLeft).map((name) => rm(join(folder, name), { force: true })));
  };
  const half =
    (begins: string) =>
    (name: string): boolean =>
      name.startsWith(begins) && name.endsWith(".tmp");
  const isState = half(`${stack}.json.`);
  await sweep(join(root, "locks", "organization", PROJECT, stack), half(""));
  await sweep(join(root, "locks", "organization", PROJECT), half(`${stack}.`));
  await sweep(join(root, "stacks", PROJECT), (name) => isState(name) || isProbe(name, stack));
}

/** No operation takes as long. */
const OLD_MS = 24 * 3600 * 1000;

/** Removes folders that killed processes have left. What can't be removed is left to the next one. */
export async function sweepFolders({ folder }: Pick<Workplace, "folder">, now = Date.now()): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  const sweeps = names.map(async (name) => {
    const path = join(folder, name);
    const { mtimeMs } = await stat(path);
    if (now - mtimeMs > OLD_MS) await rm(path, { recursive: true, force: true });
  });
  await Promise.allSettled(sweeps);
}

/** Runs one operation in a folder of its own and turns whatever goes wrong into an {@link EngineFailure}. */
export async function inFolder<T>(
  place: Workplace,
  stack: string,
  options: OperationOptions,
  work: (folder: string, onEvent: (event: EngineEvent) => void) => Promise<T>,
): Promise<T> {
  await mkdir(place.folder, { recursive: true, mode: 0o700 });
  const folder = await mkdtemp(join(place.folder, `${stack.slice(-40)}-`));
  const seen = new Failures();
  try {
    // JSON is YAML: written here, so that no `config set` has to be called.
    await writeFile(join(folder, "Pulumi.yaml"), JSON.stringify({ name: PROJECT, runtime: "nodejs" }));
    await writeFile(join(folder, `Pulumi.${stack}.yaml`), JSON.stringify({ config: STACK_CONFIG }));
    return await work(folder, (event) => {
      seen.add(event);
      options.onEvent?.(event);
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
  readonly #violations: PolicyViolation[] = [];

  add(event: EngineEvent): void {
    if (event.type === "policy" && event.mandatory) this.#violations.push(event);
    if (event.type !== "diagnostic" || event.severity !== "error") return;
    if (event.resource === undefined) this.#diagnostics.push(event.message);
    else this.#resources.push({ ...event.resource, message: event.message });
  }

  toFailure(error: unknown, interrupted: boolean): EngineFailure {
    const output = error instanceof CliFailed ? error.output : `error: ${String(error)}`;
    return new EngineFailure(
      classifyFailure({
        output,
        interrupted,
        resources: this.#resources,
        diagnostics: this.#diagnostics,
        violations: this.#violations,
      }),
    );
  }
}
