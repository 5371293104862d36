import { existsSync, readFileSync } from "node:fs";
import { chmod, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { projectDir } from "../base/paths.ts";
import { PACKAGE_NAMES, type PackageName } from "./plugins/packages.ts";
import type { Listening } from "./plugins/service.ts";
import { engineAddress, openSession } from "./plugins/session.ts";

/**
 * Sessions per package that wait for the engine: it starts a plugin for each provider, and one more for each that changes. Where they
 * don't do, the script starts a process instead.
 */
const WAITING: Readonly<Record<PackageName, number>> = { aws: 3, eks: 2, kubernetes: 4 };

/** The plugins of a simulation, in this process: a process for each costs 0.13 s, and the engine starts one after the other. */
export interface PluginHost {
  /** PULUMI_HOME, with a plugin script per package. */
  readonly home: string;
  /** Before an operation: opens what is missing, closes what the last one used. */
  readonly refill: () => Promise<void>;
  readonly close: () => void;
}

/** @param root A folder of the simulation's own. */
export async function hostPlugins(root: string): Promise<PluginHost> {
  const home = join(root, "home");
  const offers = join(root, "sessions");
  const open = new Map<PackageName, Map<string, Listening>>();
  // Offers of an earlier process that has this folder: nobody listens there any more.
  await rm(offers, { recursive: true, force: true });
  await Promise.all(
    PACKAGE_NAMES.map(async (name) => {
      open.set(name, new Map());
      await mkdir(join(offers, name), { recursive: true });
      await writePlugin(home, offers, name);
    }),
  );
  await mkdir(join(offers, "taken"), { recursive: true });

  const refill = async (name: PackageName): Promise<void> => {
    const sessions = open.get(name) ?? new Map<string, Listening>();
    const waiting = new Set(await readdir(join(offers, name)));
    for (const [port, session] of sessions) {
      if (waiting.has(port)) continue;
      session.stop();
      sessions.delete(port);
      await rm(join(offers, "taken", `${name}-${port}`), { force: true });
    }
    while (sessions.size < WAITING[name]) {
      const session = await openSession(name, sdkVersion(name), (port) =>
        engineAddress(argumentsOf(join(offers, "taken", `${name}-${port}`))),
      );
      sessions.set(String(session.port), session);
      await writeFile(join(offers, name, String(session.port)), "");
    }
  };
  return {
    home,
    refill: async () => {
      await Promise.all(PACKAGE_NAMES.map(refill));
    },
    close: () => {
      for (const sessions of open.values()) for (const session of sessions.values()) session.stop();
      open.clear();
    },
  };
}

/** What the engine started the script with. */
function argumentsOf(path: string): readonly string[] {
  return existsSync(path) ? readFileSync(path, "utf8").split("\n") : [];
}

/** The engine looks for plugins by exactly these names: pkg/workspace/plugins.go in pulumi/pulumi. */
async function writePlugin(home: string, offers: string, name: PackageName): Promise<void> {
  const version = sdkVersion(name);
  const folder = join(home, "plugins", `resource-${name}-v${version}`);
  const path = join(folder, `pulumi-resource-${name}`);
  await mkdir(folder, { recursive: true });
  const command = [
    join(projectDir, "node_modules", "node", "bin", "node"),
    "--disable-warning=ExperimentalWarning",
    join(projectDir, "simulation", "plugins", "main.ts"),
    name,
    version,
  ];
  await writeFile(
    path,
    `#!/bin/sh
# Mayfly's simulation of package ${name}: takes a session of the process that runs the simulation, else serves one itself.
engine=$PPID
for offer in ${quote(join(offers, name))}/*; do
  port=\${offer##*/}
  # Of several that want the same, only one can move it.
  taken=${quote(join(offers, "taken"))}/${name}-$port
  mv "$offer" "$taken" 2>/dev/null || continue
  printf '%s\\n' "$@" >"$taken"
  echo "$port"
  # The engine ends its plugins with a signal; one that was killed can't.
  while kill -0 "$engine" 2>/dev/null; do sleep 1; done
  exit 0
done
unset NODE_OPTIONS
exec ${command.map(quote).join(" ")} "$@"
`,
  );
  await chmod(path, 0o755);
}

const quote = (text: string): string => `'${text.replaceAll("'", "'\\\\''")}'`;

/** The version of the npm package of a plugin: the engine asks for the plugin of the same version. */
function sdkVersion(name: PackageName): string {
  const path = join(projectDir, "node_modules", "@pulumi", name, "package.json");
  return z.object({ version: z.string().min(1) }).parse(JSON.parse(readFileSync(path, "utf8"))).version;
}
