import {
  accessSync,
  closeSync,
  constants,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  statSync,
} from "node:fs";
import { mkdir, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { basename, dirname, join } from "node:path";
import { childEnv, execute } from "../../base/process.ts";
import { step } from "../../base/progress.ts";
import { digest } from "../host/files.ts";
import {
  type Artifact,
  choose,
  cliArtifact,
  type Installed,
  kubernetesPluginArtifact,
  OLDEST_CLI,
} from "./choice.ts";
import { NotAvailable, openArtifact, unpackArtifact } from "./download.ts";
import { isAtLeast } from "./go.ts";
import { recall, remember } from "./memory.ts";
import { isStored, noteOf, provideFolder, type StoredTool, toolFolder, toolsDir } from "./store.ts";
import type { ProvideOptions } from "./types.ts";

/** An official tool, or why there is none. */
export type Official =
  | { readonly found: true; readonly folder: string; readonly version: string }
  | { readonly found: false; readonly version: string; readonly reason: string };

/** The official Pulumi CLI: an installed one that is new enough, else the download that matches the SDK in package.json. */
export async function officialCli(options: ProvideOptions): Promise<Official> {
  const version = packageVersion("@pulumi/pulumi");
  return await find(
    {
      what: `official Pulumi CLI ${version}`,
      version,
      artifact: cliArtifact(version, process.platform, process.arch),
      stored: { name: "pulumi-official", key: `${version}-${process.platform}-${process.arch}` },
      // The Automation API looks for `bin/pulumi` below an installation's root.
      unpackTo: "bin",
      installed: await installedCli(),
      accepts: (found) => isAtLeast(found, OLDEST_CLI),
      instead: "one built from its Go module is used",
    },
    options,
  );
}

/** The official Kubernetes provider plugin of exactly the version that @pulumi/kubernetes asks the engine for. */
export async function officialKubernetesPlugin(options: ProvideOptions): Promise<Official> {
  const version = packageVersion("@pulumi/kubernetes");
  return await find(
    {
      what: `official Kubernetes provider ${version}`,
      version,
      artifact: kubernetesPluginArtifact(version, process.platform, process.arch),
      stored: { name: "kubernetes-plugin", key: `${version}-${process.platform}-${process.arch}` },
      unpackTo: ".",
      installed: installedKubernetesPlugin(version),
      accepts: (found) => found === version,
      instead: "Mayfly's own stand-in is used",
    },
    options,
  );
}

interface Search {
  readonly what: string;
  readonly version: string;
  readonly artifact: Artifact | undefined;
  readonly stored: StoredTool;
  readonly unpackTo: string;
  readonly installed: Installed | undefined;
  readonly accepts: (version: string) => boolean;
  /** What is done where it can't be had, for people. */
  readonly instead: string;
}

async function find(search: Search, options: ProvideOptions): Promise<Official> {
  const { artifact, stored, version } = search;
  const unpacked = join(toolFolder(stored), search.unpackTo);
  const choice = choose({
    artifact: artifact?.name ?? "",
    installed: search.installed,
    accepts: search.accepts,
    downloaded: isStored(stored) ? unpacked : undefined,
    remembered: recall(stored.name),
    refresh: options.refresh ?? false,
    now: Date.now(),
  });
  switch (choice.use) {
    case "installed":
      return { found: true, folder: choice.installed.folder, version: choice.installed.version };
    case "downloaded":
      return { found: true, folder: choice.folder, version };
    case "fallback":
      return { found: false, version, reason: choice.reason };
    case "try-download": {
      const reason =
        artifact === undefined
          ? `there is none for ${process.platform} on ${process.arch}`
          : await download(search, artifact, options.signal);
      if (reason === undefined) return { found: true, folder: unpacked, version };
      await remember(stored.name, { artifact: artifact?.name ?? "", at: Date.now(), reason });
      process.stderr.write(`• the ${search.what} can't be had here (${reason}): ${search.instead}\n`);
      return { found: false, version, reason };
    }
  }
}

/** Returns why the download can't be had, or undefined when it is there. */
async function download(
  { what, stored, version, unpackTo }: Search,
  artifact: Artifact,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  try {
    await provideFolder(stored, async (draft) => {
      // Asking first: that it can't be had is an ordinary answer, not a step that failed.
      const opened = await openArtifact(artifact, signal);
      await step(`download the ${what}`, (report) => unpackArtifact(opened, join(draft, unpackTo), report));
      const { expected } = opened;
      const verified =
        expected === undefined ? "no checksum is published" : `${expected.algorithm} ${expected.hex}`;
      return { version, url: artifact.url, verified };
    });
  } catch (error) {
    if (error instanceof NotAvailable) return error.message;
    throw error;
  }
  return undefined;
}

/**
 * The CLI that the user installed, seen through a folder of links: so no other program of its folder (an older `node`,
 * say) comes first on the PATH, and its version is asked for once only, not on each start.
 */
async function installedCli(): Promise<Installed | undefined> {
  const pulumi = findInstalledCli();
  if (pulumi === undefined) return undefined;
  const { size, mtimeMs } = statSync(pulumi);
  const stored: StoredTool = {
    name: "pulumi-installed",
    key: digest(pulumi, String(size), String(mtimeMs)).slice(0, 16),
  };
  const folder = await provideFolder(stored, async (draft) => {
    const bin = join(draft, "bin");
    await mkdir(bin);
    for (const name of readdirSync(dirname(pulumi)).filter((entry) => /^pulumi(-language|$)/.test(entry))) {
      await symlink(join(dirname(pulumi), name), join(bin, name));
    }
    const env = childEnv({ PULUMI_SKIP_UPDATE_CHECK: "true" });
    const { stdout } = await execute(pulumi, ["version"], { env });
    // A program of that name which does not answer like Pulumi is version 0: never used, and not asked again.
    const version = /^v?(\d+\.\d+\.\d+\S*)/.exec(stdout.trim())?.[1] ?? "0.0.0";
    return { version, target: pulumi };
  });
  return { version: noteOf(folder, "version") ?? "0.0.0", folder: join(folder, "bin") };
}

/** Looks along PATH and where Pulumi's install script puts it, for a CLI that has its Node language host beside it. */
function findInstalledCli(): string | undefined {
  const folders = [...(process.env["PATH"] ?? "").split(":"), join(homedir(), ".pulumi", "bin")];
  for (const folder of folders) {
    const path = executable(join(folder, "pulumi"));
    // `mayfly lab env` puts tools of our own cache on the PATH; the npm package `pulumi` is only a downloader.
    if (path === undefined || path.startsWith(`${toolsDir()}/`) || path.includes("/node_modules/")) continue;
    if (
      basename(path) === "pulumi" &&
      executable(join(dirname(path), "pulumi-language-nodejs")) !== undefined
    ) {
      return path;
    }
  }
  return undefined;
}

function installedKubernetesPlugin(version: string): Installed | undefined {
  const homes = [process.env["PULUMI_HOME"], join(homedir(), ".pulumi")];
  for (const home of homes) {
    if (home === undefined) continue;
    const folder = join(home, "plugins", `resource-kubernetes-v${version}`);
    const path = executable(join(folder, "pulumi-resource-kubernetes"));
    // The official plugin is a native program; a script of that name is a stand-in like ours.
    if (path !== undefined && !isScript(path)) return { version, folder };
  }
  return undefined;
}

/** The real path of an executable file, or undefined. */
function executable(path: string): string | undefined {
  try {
    const real = realpathSync(path);
    accessSync(real, constants.X_OK);
    return statSync(real).isFile() ? real : undefined;
  } catch {
    // Not there, or not for us to run: both mean that it is not installed.
    return undefined;
  }
}

function isScript(path: string): boolean {
  const file = openSync(path, "r");
  try {
    const start = Buffer.alloc(2);
    readSync(file, start, 0, 2, 0);
    return start.toString("latin1") === "#!";
  } finally {
    closeSync(file);
  }
}

const require = createRequire(import.meta.url);

/** The version of an installed npm package. */
function packageVersion(name: string): string {
  const manifest: unknown = require(`${name}/package.json`);
  if (typeof manifest === "object" && manifest !== null && "version" in manifest) {
    if (typeof manifest.version === "string") return manifest.version;
  }
  throw new Error(`${name}/package.json says no version`);
}
