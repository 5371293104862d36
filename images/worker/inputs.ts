import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectDir } from "../../base/paths.ts";
import { baseKey } from "../build/base.ts";
import { sha256File, sha256Text } from "../build/sum.ts";
import { packageVersion } from "./context.ts";
import * as layout from "./layout.ts";
import type { NeededPackage } from "./packages.ts";
import { WORKER_BASE } from "./recipe.ts";
import { packagesOf, sourceFiles } from "./tree.ts";

/** Raise it when this folder makes another image from the same inputs. */
const BUILDER = 1;

/** Programs that the image takes from this machine. */
export interface WorkerTools {
  /** Absolute path of the Pulumi CLI. */
  readonly pulumi: string;
  /** The Kubernetes plugin: the official one's folder, or Mayfly's stand-in. */
  readonly kubernetesPlugin:
    | { readonly source: "official"; readonly folder: string }
    | { readonly source: "stand-in" };
}

/** All that decides what the image is. */
export interface WorkerInputs {
  /** What the layer of programs is made from; nothing in it depends on where they lie. */
  readonly tools: {
    readonly base: string;
    readonly node: string;
    readonly pulumi: string;
    readonly plugin: { readonly source: "official" | "stand-in"; readonly digest: string };
    readonly layout: string;
  };
  readonly packages: readonly NeededPackage[];
  readonly sources: readonly { readonly file: string; readonly digest: string }[];
  readonly pluginVersion: string;
  /** Where the programs lie here. */
  readonly files: {
    readonly node: string;
    readonly pulumi: string;
    readonly plugin: string | undefined;
  };
}

/** Looks at what is here. @throws Error where npm packages are not installed. */
export async function workerInputs({ pulumi, kubernetesPlugin }: WorkerTools): Promise<WorkerInputs> {
  const standIn = kubernetesPlugin.source === "stand-in";
  const plugin = standIn ? undefined : join(kubernetesPlugin.folder, "pulumi-resource-kubernetes");
  const files = { node: process.execPath, pulumi, plugin };
  const [packages, sources, nodeDigest, pulumiDigest, pluginDigest] = await Promise.all([
    packagesOf(projectDir),
    sourceFiles(projectDir, standIn),
    sha256File(files.node),
    sha256File(pulumi),
    plugin === undefined ? "" : sha256File(plugin),
  ]);
  return {
    tools: {
      base: baseKey(WORKER_BASE),
      node: nodeDigest,
      pulumi: pulumiDigest,
      plugin: { source: kubernetesPlugin.source, digest: pluginDigest },
      layout: sha256Text(JSON.stringify([layout, layout.pluginFile(packageVersion("@pulumi/kubernetes"))])),
    },
    packages,
    sources: sources.map((file) => ({
      file,
      digest: sha256Text(readFileSync(join(projectDir, file), "utf8")),
    })),
    pluginVersion: packageVersion("@pulumi/kubernetes"),
    files,
  };
}

/** The image's tag: the same contents, the same tag, whenever and wherever. */
export const workerTag = ({ tools, packages, sources, pluginVersion }: WorkerInputs): string =>
  sha256Text(JSON.stringify([tools, packages, sources, pluginVersion, BUILDER, process.arch])).slice(0, 12);
