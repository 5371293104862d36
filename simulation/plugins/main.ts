// A plugin in a process of its own: for a Pulumi that is started by hand on a simulation's folders, and where `host.ts` has no session
// left to hand out.
import { flushCompileCache } from "node:module";
import { PACKAGE_NAMES } from "./packages.ts";
import { engineAddress, openSession } from "./session.ts";

const [asked = "", version = "", ...rest] = process.argv.slice(2);
const name = PACKAGE_NAMES.find((known) => known === asked);
if (name === undefined) {
  process.stderr.write(`usage: main.ts ${PACKAGE_NAMES.join("|")} VERSION [ENGINE ADDRESS]\n`);
  process.exit(64);
}

const { port, stop } = await openSession(name, version, () => engineAddress(rest));

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
