import { createEngineLog } from "./engine-log.ts";
import { serve } from "./service.ts";
import type { Log } from "./session.ts";

/** The version of @pulumi/kubernetes whose plugin this stands in for, marked as not being it. */
export const VERSION = "4.34.2-mayfly.stand-in";

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
// Ctrl-C in a terminal reaches the whole process group; the engine says by its Cancel call what is to be done.
process.on("SIGINT", () => undefined);
// A killed engine can't stop its plugins, and a plugin without an engine has nobody to work for.
const parent = process.ppid;
if (parent > 1)
  setInterval(() => {
    if (process.ppid !== parent) leave();
  }, 1000).unref();

// The engine reads the port from the first line.
process.stdout.write(`${port}\n`);
