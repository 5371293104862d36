// Where the bench's runs happen: ledger, Pulumi backend and home, and work folder of its own, on the lab that all share.
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { stringify } from "yaml";
import { projectDir } from "../../../base/paths.ts";
import { childEnv } from "../../../base/process.ts";
import { readConnection } from "../../../lab/connection.ts";
import { labPaths } from "../../../lab/paths.ts";
import type { Connection } from "../../../schema/connection.ts";
import { standInJob } from "../../harness/stand-in.ts";
import { type Groups, makeGroups } from "./groups.ts";

export interface BenchPlace {
  readonly folder: string;
  readonly groups: Groups;
  /** Path of the connection file. */
  readonly connection: string;
  /** Path of the job's spec. */
  readonly job: string;
  readonly jobName: string;
  /** Script that is `mayfly`, counted as such. */
  readonly mayfly: string;
  /** Folder with a `kubectl` that is counted as such. */
  readonly kubectlPath: string;
  /** Which provider plugin Pulumi talks through. */
  readonly plugin: "official" | "stand-in";
  readonly env: Readonly<Record<string, string>>;
  readonly remove: () => Promise<void>;
}

export async function makeBenchPlace(): Promise<BenchPlace> {
  const folder = await mkdtemp(join(tmpdir(), "mayfly-bench-"));
  const groups = await makeGroups(`mayfly-bench-${process.pid}`);
  const made = async (path: string): Promise<string> => {
    await mkdir(join(folder, path), { recursive: true });
    return join(folder, path);
  };
  const [bin, kubectlPath, state, backend, home] = [
    await made("bin"),
    await made("kubectl"),
    await made("state"),
    await made("pulumi"),
    await made("pulumi-home"),
  ];
  const lab = readConnection(labPaths());
  await groups.wrap("cli", join(bin, "pulumi"), [find("pulumi", lab.path)]);
  await groups.wrap("kubectl", join(kubectlPath, "kubectl"), [find("kubectl", lab.path)]);
  await wrapPlugins(groups, join(lab.pulumi.home, "plugins"), await made("pulumi-home/plugins"));
  const mayfly = join(bin, "mayfly-counted");
  await groups.wrap("mayfly", mayfly, [join(projectDir, "bin", "mayfly")]);
  const connection: Connection = {
    ...lab,
    path: [bin, ...lab.path],
    pulumi: { ...lab.pulumi, home, backendUrl: pathToFileURL(backend).href },
  };
  const jobName = `bench-many-${process.pid}`;
  const [connectionPath, job] = [join(folder, "connection.json"), join(folder, "job.yaml")];
  await writeFile(connectionPath, JSON.stringify(connection));
  await writeFile(job, stringify({ ...standInJob(jobName, 0), deadline: "20m" }));
  return {
    folder,
    groups,
    connection: connectionPath,
    job,
    jobName,
    mayfly,
    kubectlPath,
    plugin: lab.pulumi.kubernetesPlugin,
    env: childEnv({
      XDG_STATE_HOME: state,
      MAYFLY_CONNECTION: connectionPath,
      MAYFLY_LEDGER: `sqlite://${join(state, "ledger.sqlite")}`,
    }),
    remove: async () => {
      await groups.remove();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Where the shell would find a program. */
function find(program: string, first: readonly string[]): string {
  const folders = [...first, ...(process.env["PATH"] ?? "").split(":")];
  const found = folders.map((folder) => join(folder, program)).find((path) => existsSync(path));
  if (found === undefined) throw new Error(`${program} is not on PATH`);
  return found;
}

/** A home with the same plugins, each counted. */
async function wrapPlugins(groups: Groups, from: string, to: string): Promise<void> {
  for (const plugin of await readdir(from)) {
    const [, kind = "", name = ""] = /^(\w+)-(.+)-v/.exec(plugin) ?? [];
    await mkdir(join(to, plugin), { recursive: true });
    const program = `pulumi-${kind}-${name}`;
    await groups.wrap("plugin", join(to, plugin, program), [join(from, plugin, program)]);
  }
}
