import type { Connection } from "../../schema/connection.ts";
import type { LabPaths } from "../paths.ts";

export async function kindUp(
  paths: LabPaths,
  engine: "docker" | "podman",
  options: { readonly refresh?: boolean | undefined },
): Promise<{ connection: Connection; started: string[] }> {
  await Promise.resolve([paths, engine, options]);
  throw new Error("being written");
}
