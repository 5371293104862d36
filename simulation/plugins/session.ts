import { createEngineLog } from "./engine-log.ts";
import { PACKAGES, type PackageName } from "./packages.ts";
import type { Log } from "./provider.ts";
import { type Listening, serve } from "./service.ts";

/**
 * Serves one instance of a package's provider, as one plugin process does: the engine wants one for each configuration.
 *
 * @param address The engine's, where it is known already; it tells it in its first call anyway.
 */
export async function openSession(name: PackageName, version: string, address?: string): Promise<Listening> {
  let log = createEngineLog(address);
  const relay: Log = {
    warning: (message, urn) => {
      log.warning(message, urn);
    },
  };
  return await serve(name, version, PACKAGES[name](relay), (engine) => {
    log = createEngineLog(engine);
  });
}
