import { existsSync } from "node:fs";
import { appendFile, chmod, copyFile, mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { projectDir } from "../../base/paths.ts";
import { step } from "../../base/progress.ts";
import { provideBase } from "../build/base.ts";
import { type BuiltImage, finishImage, relative } from "../build/image.ts";
import type { BuildPlaces } from "../build/keep.ts";
import { type Layer, type LayerContent, packLayer } from "../build/layer.ts";
import { run } from "../build/run.ts";
import { sha256File, sha256Text } from "../build/sum.ts";
import type { WorkerInputs } from "./inputs.ts";
import {
  NODE_SCRIPT,
  pluginFile,
  STAND_IN_SCRIPT,
  WORKER_ENTRYPOINT,
  WORKER_ENVIRONMENT,
  WORKER_LAYOUT,
  WORKER_USER,
} from "./layout.ts";
import { WORKER_BASE } from "./recipe.ts";
import { copyFiles, copyPackages, writeScript } from "./tree.ts";

/**
 * Builds the worker's image without Docker and writes its archive. Four layers, from what changes never to what changes daily: Debian;
 * Node and Pulumi; npm packages; Mayfly. The first three are kept.
 * @throws UserError `image-build-failed`
 */
export async function buildWorkerImage(
  inputs: WorkerInputs,
  name: string,
  { layers: folder, scratch }: BuildPlaces,
  archive: string,
  signal?: AbortSignal,
): Promise<BuiltImage> {
  const base = await provideBase(WORKER_BASE, folder, scratch, signal);
  const home = relative(WORKER_LAYOUT.home);
  const layers = await step("lay out the worker's image", async () => [
    base,
    await keepLayer(folder, `worker-tools-${keyOf(inputs.tools)}`, scratch, async (root) => {
      await layOutTools(inputs, base.path, root, signal);
      const paths = ["etc/group", "etc/passwd", relative(WORKER_LAYOUT.node), join(home, "pulumi")];
      return { what: "Node and Pulumi", paths: [...paths, relative(WORKER_LAYOUT.work)] };
    }),
    await keepLayer(folder, `worker-packages-${keyOf(inputs.packages)}`, scratch, async (root) => {
      await copyPackages(projectDir, inputs.packages, join(root, home));
      return { what: "npm packages", paths: [join(home, "node_modules")] };
    }),
    await makeLayer(scratch, "mayfly", async (root) => {
      const files = inputs.sources.map(({ file }) => file);
      await copyFiles(projectDir, files, join(root, home));
      await writeScript(join(root, home, "bin/node"), NODE_SCRIPT);
      return { what: "Mayfly", paths: (await readdir(join(root, home))).map((entry) => join(home, entry)) };
    }),
  ]);

  async function makeLayer(
    at: string,
    what: string,
    layOut: (root: string) => Promise<LayerContent>,
  ): Promise<Layer> {
    const root = join(at, what);
    await mkdir(root, { mode: 0o755 });
    const content = await layOut(root);
    const layer = await packLayer(root, content, join(at, `${what}.tar`), signal);
    await rm(root, { recursive: true });
    return layer;
  }

  async function keepLayer(
    kept: string,
    stem: string,
    at: string,
    layOut: (root: string) => Promise<LayerContent>,
  ): Promise<Layer> {
    const path = join(kept, `${stem}.tar`);
    if (existsSync(path)) {
      const what = stem.startsWith("worker-tools-") ? "Node and Pulumi" : "npm packages";
      return { path, what, digest: `sha256:${await sha256File(path)}`, size: (await stat(path)).size };
    }
    const layer = await makeLayer(at, stem, layOut);
    // Of other inputs: an image holds its own copy.
    const older = (await readdir(kept)).filter((file) => file.startsWith(stem.replace(/[^-]+$/, "")));
    for (const file of older) await rm(join(kept, file));
    await rename(layer.path, path);
    return { ...layer, path };
  }

  return await finishImage(
    {
      name,
      user: `${WORKER_USER.id}:${WORKER_USER.id}`,
      env: WORKER_ENVIRONMENT,
      entrypoint: WORKER_ENTRYPOINT,
      workDir: WORKER_LAYOUT.work,
      labels: {
        "org.opencontainers.image.title": "Mayfly's worker",
        "org.opencontainers.image.licenses": "Apache-2.0",
        "mayfly.dev/kubernetes-plugin": inputs.tools.plugin.source,
      },
    },
    layers,
    scratch,
    archive,
    signal,
  );
}

const keyOf = (inputs: unknown): string => sha256Text(JSON.stringify(inputs)).slice(0, 16);

/** Node, Pulumi's CLI, the plugin, and the user that all of it runs as. */
async function layOutTools(
  { tools, files, pluginVersion }: WorkerInputs,
  base: string,
  root: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const inRoot = (path: string): string => join(root, relative(path));
  const program = async (from: string, to: string): Promise<void> => {
    await mkdir(dirname(to), { recursive: true, mode: 0o755 });
    await copyFile(from, to);
    await chmod(to, 0o755);
  };
  await run(
    "users of the base layer",
    "tar",
    ["--extract", "--file", base, "--directory", root, "./etc/passwd", "./etc/group"],
    signal === undefined ? {} : { signal },
  );
  const { name, id } = WORKER_USER;
  const shell = "/usr/sbin/nologin";
  await appendFile(inRoot("/etc/passwd"), `${name}:x:${id}:${id}::${WORKER_LAYOUT.work}:${shell}\n`);
  await appendFile(inRoot("/etc/group"), `${name}:x:${id}:\n`);
  await mkdir(inRoot(WORKER_LAYOUT.work), { recursive: true, mode: 0o755 });
  await program(files.node, inRoot(WORKER_LAYOUT.node));
  await program(files.pulumi, join(inRoot(WORKER_LAYOUT.pulumiBin), "pulumi"));
  const plugin = join(inRoot(WORKER_LAYOUT.pulumiHome), pluginFile(pluginVersion));
  if (tools.plugin.source === "official" && files.plugin !== undefined) await program(files.plugin, plugin);
  else await writeScript(plugin, STAND_IN_SCRIPT);
}
