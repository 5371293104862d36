import { servePluginProcess } from "../../base/plugin-process.ts";
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
const server = await serve(VERSION, relay, (engine) => {
  log = createEngineLog(engine);
});

servePluginProcess(server);
