import { flushCompileCache } from "node:module";
import { createEngineLog } from "./engine-log.ts";
import { serve } from "./service.ts";
import type { Log } from "./session.ts";

/** The version of @pulumi/kubernetes whose plugin this stands in for, marked as not being it. */
export const VERSION = "4.34.2+mayfly.stand-in";

/** The engine passes its address, after flags such as `-tracing <url>` or `--logtostderr`. */
const address = process.argv.slice(2).find((argument) => /^[^-/\s][^/\s]*:\d+$/.test(argument));
let log = createEngineLog(address);
const relay: Log = {
  info: (message, urn) => {
    log.info(message, urn);
  },
  warning: (message, urn) => {
    log.warning(message, urn);
  },
  status: (message, urn) => {
    log.status(message, urn);
  },
};
const { port, stop } = await serve(VERSION, relay, (engine) => {
  log = createEngineLog(engine);
});

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
