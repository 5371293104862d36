import { flushCompileCache } from "node:module";

/** A provider plugin's server: where it listens, and how it ends. */
export interface PluginServer {
  readonly port: number;
  readonly stop: () => void;
}

/** Makes this process the plugin that Pulumi's engine started: tells it the port, ends when told to or when the engine is gone. */
export function servePluginProcess({ port, stop }: PluginServer): void {
  const leave = (): void => {
    stop();
    process.exit(0);
  };
  process.on("SIGTERM", leave);
  // How the engine ends a plugin, after which it waits five seconds before it kills. A terminal's Ctrl-C does not reach us: the engine
  // gives each plugin a process group of its own (pulumi's sdk/go/common/resource/plugin/plugin.go).
  process.on("SIGINT", leave);
  // A killed engine can't stop its plugins, and a plugin without an engine has nobody to work for.
  const parent = process.ppid;
  if (parent > 1)
    setInterval(() => {
      if (process.ppid !== parent) leave();
    }, 1000).unref();

  // The engine reads the port from the first line.
  process.stdout.write(`${port}\n`);

  // Saved at once rather than at the end, which may be a kill: what is compiled already is a third of each start.
  setImmediate(flushCompileCache);
}
