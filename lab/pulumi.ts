import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { chmod, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { projectDir } from "../base/paths.ts";
import { readIfThere, writeIfChanged } from "./host/files.ts";
import type { LabPaths } from "./paths.ts";
import { shellQuote } from "./shell.ts";
import type { KubernetesPlugin } from "./tools/types.ts";

/** The version of the provider plugin that the npm package @pulumi/kubernetes asks the engine for. */
export function kubernetesSdkVersion(): string {
  const path = join(projectDir, "node_modules", "@pulumi", "kubernetes", "package.json");
  return z.object({ version: z.string().min(1) }).parse(JSON.parse(readFileSync(path, "utf8"))).version;
}

/** A script that runs the stand-in plugin, or hands over to the official one in another folder. */
export function pluginScript(plugin: KubernetesPlugin): string {
  const command =
    plugin.source === "official"
      ? [join(plugin.folder, "pulumi-resource-kubernetes")]
      : [join(projectDir, "bin", "node"), join(projectDir, "lab", "kubernetes-plugin", "main.ts")];
  return `#!/bin/sh\n# Written by 'mayfly lab up'.\nexec ${command.map(shellQuote).join(" ")} "$@"\n`;
}

/** Pulumi's folders: home with the Kubernetes plugin, file backend, and the passphrase (made once, mode 0600). */
export async function ensurePulumi(paths: LabPaths, plugin: KubernetesPlugin): Promise<void> {
  // The engine looks for plugins by exactly this name: pkg/workspace/plugins.go in pulumi/pulumi.
  const folder = join(paths.pulumiHome, "plugins", `resource-kubernetes-v${kubernetesSdkVersion()}`);
  await mkdir(paths.pulumiState, { recursive: true, mode: 0o700 });
  await writeIfChanged(join(folder, "pulumi-resource-kubernetes"), pluginScript(plugin), 0o755);
  if (readIfThere(paths.passphrase) === undefined) {
    await writeIfChanged(paths.passphrase, randomBytes(32).toString("base64url"));
  }
  await chmod(paths.passphrase, 0o600);
}
