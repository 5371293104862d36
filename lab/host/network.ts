import { readdirSync, readFileSync } from "node:fs";
import { z } from "zod";
import { execute } from "../../base/process.ts";
import { run } from "./run.ts";

const Addresses = z.array(
  z.object({
    flags: z.array(z.string()).default([]),
    addr_info: z.array(z.object({ local: z.string(), prefixlen: z.number() })).default([]),
  }),
);

/**
 * A bridge without ports that holds the node's address: API server, kubelet, DNS and S3 listen on it, and pods reach it
 * through their own gateway. A bridge and not a dummy interface, because kernels without loadable modules lack the latter.
 */
export async function createBridge(name: string, address: string): Promise<void> {
  if (!interfaces().includes(name)) await run("ip", ["link", "add", name, "type", "bridge"]);
  const shown = Addresses.parse(JSON.parse(await run("ip", ["-json", "address", "show", "dev", name])));
  const has = shown.some((link) =>
    link.addr_info.some((info) => info.local === address && info.prefixlen === 32),
  );
  if (!has) await run("ip", ["address", "add", `${address}/32`, "dev", name]);
  if (!shown.some((link) => link.flags.includes("UP"))) await run("ip", ["link", "set", name, "up"]);
}

const interfaces = (): string[] => readdirSync("/sys/class/net");

/** Interfaces that the lab or Calico in it made: the bridge and one `cali…` per pod. */
export const isLabInterface = (name: string, bridge: string): boolean =>
  name === bridge || /^cali[0-9a-f]{11}$/.test(name);

export const labInterfaces = (bridge: string): string[] =>
  interfaces().filter((name) => isLabInterface(name, bridge));

/** Removes them. Those of pods go by themselves a moment after their namespaces: what has gone meanwhile is no error. */
export async function removeInterfaces(bridge: string): Promise<void> {
  for (const name of labInterfaces(bridge)) {
    const { code, stderr } = await execute("ip", ["link", "delete", name]);
    if (code !== 0 && interfaces().includes(name)) {
      throw new Error(`the network interface ${name} can't be removed: ${stderr}`);
    }
  }
}

/** TCP ports on which something listens, from `/proc/net/tcp` and `tcp6`. */
export function listeningPorts(text: string): number[] {
  const LISTEN = "0A";
  return text.split("\n").flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    const port = fields[1]?.split(":")[1];
    return fields[3] === LISTEN && port !== undefined ? [Number.parseInt(port, 16)] : [];
  });
}

/** Ports in use on this host, whatever the address. */
export const portsInUse = (): Set<number> =>
  new Set(["/proc/net/tcp", "/proc/net/tcp6"].flatMap((path) => listeningPorts(readFileSync(path, "utf8"))));
