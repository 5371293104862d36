import { flushCompileCache } from "node:module";
import { createAwsProvider } from "./aws/provider.ts";
import { createEksProvider } from "./eks/provider.ts";
import { createEngineLog } from "./engine-log.ts";
import { createKubernetesProvider } from "./kubernetes/provider.ts";
import type { Log, Provider } from "./provider.ts";
import { serve } from "./service.ts";

/** The packages that are simulated; `simulation/workspace.ts` writes a script for each. */
const PACKAGES: Readonly<Record<string, (log: Log) => Provider>> = {
  aws: createAwsProvider,
  eks: createEksProvider,
  kubernetes: createKubernetesProvider,
};

const [name = "", version = "", ...rest] = process.argv.slice(2);
const create = PACKAGES[name];
if (create === undefined) {
  process.stderr.write(`usage: main.ts ${Object.keys(PACKAGES).join("|")} VERSION [ENGINE ADDRESS]\n`);
  process.exit(64);
}

/** The engine passes its address, after flags such as `-tracing <url>` or `--logtostderr`. */
const address = rest.find((argument) => /^[^-/\s][^/\s]*:\d+$/.test(argument));
let log = createEngineLog(address);
const relay: Log = {
  warning: (message, urn) => {
    log.warning(message, urn);
  },
};
const { port, stop } = await serve(name, version, create(relay), (engine) => {
  log = createEngineLog(engine);
});

const leave = (): void => {
  stop();
  process.exit(0);
};
process.on("SIGTERM", leave);
// How the engine ends a plugin, after which it waits five seconds before it kills.
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
