import { createEngineLog } from "./engine-log.ts";
import { PACKAGES, type PackageName } from "./packages.ts";
import type { Log } from "./provider.ts";
import { type Listening, serve } from "./service.ts";

/**
 * Serves one instance of a package's provider, as one plugin process does: the engine wants one for each configuration.
 *
 * @param addressOf The engine's address, asked for when there is something to tell it.
 */
export async function openSession(
  name: PackageName,
  version: string,
  addressOf: (port: number) => string | undefined,
): Promise<Listening> {
  let port = 0;
  let log: Log | undefined;
  const relay: Log = {
    warning: (message, urn) => {
      log ??= createEngineLog(addressOf(port));
      log.warning(message, urn);
    },
  };
  const listening = await serve(name, version, PACKAGES[name](relay), (engine) => {
    log = createEngineLog(engine);
  });
  ({ port } = listening);
  return listening;
}

/** Among a plugin's arguments: the engine passes its address after flags such as `-tracing <url>` or `--logtostderr`. */
export const engineAddress = (args: readonly string[]): string | undefined =>
  args.find((argument) => /^[^-/\s][^/\s]*:\d+$/.test(argument));
