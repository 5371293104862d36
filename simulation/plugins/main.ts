// A plugin in a process of its own: for a Pulumi that is started by hand on a simulation's folders, and where `host.ts` has no session
// left to hand out.
import { servePluginProcess } from "../../base/plugin-process.ts";
import { PACKAGE_NAMES } from "./packages.ts";
import { engineAddress, openSession } from "./session.ts";

const [asked = "", version = "", ...rest] = process.argv.slice(2);
const name = PACKAGE_NAMES.find((known) => known === asked);
if (name === undefined) {
  process.stderr.write(`usage: main.ts ${PACKAGE_NAMES.join("|")} VERSION [ENGINE ADDRESS]\n`);
  process.exit(64);
}

const server = await openSession(name, version, () => engineAddress(rest));

servePluginProcess(server);
