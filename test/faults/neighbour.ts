// A second tenant beside the lab's own, made by hand for the time of one suite: its long-lived namespace, and a contract that knows it.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { readConnection } from "../../lab/connection.ts";
import { labPaths } from "../../lab/paths.ts";
import { EnvironmentContract } from "../../schema/contract.ts";
import { kubectl } from "../lab/pods.ts";

export const NEIGHBOUR = "neighbour";
const NAMESPACE = `tenant-${NEIGHBOUR}`;

const Like = z.object({
  metadata: z.object({
    labels: z.record(z.string(), z.string()).default({}),
    annotations: z.record(z.string(), z.string()).default({}),
  }),
});
const Secret = z.object({ data: z.record(z.string(), z.string()) });

export interface Neighbour {
  /** Path of the contract. */
  readonly contract: string;
  readonly remove: () => Promise<void>;
}

const read = async (...args: readonly string[]): Promise<unknown> =>
  JSON.parse(await kubectl(["get", ...args, "--output", "json"]));

/** Makes it like the first tenant of the lab, or takes up what a killed suite has left. */
export async function makeNeighbour(): Promise<Neighbour> {
  const { contract: path } = readConnection(labPaths());
  const contract = EnvironmentContract.parse(JSON.parse(await readFile(path, "utf8")));
  const [first] = contract.tenants;
  if (first === undefined) throw new Error("the lab has no tenant");
  const { metadata } = Like.parse(await read("namespace", first.namespace));
  const labels = {
    ...metadata.labels,
    "kubernetes.io/metadata.name": NAMESPACE,
    "mayfly.dev/tenant": NEIGHBOUR,
  };
  const objects: object[] = [{ apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE, labels } }];
  if (first.s3Identity.kind === "secret") {
    const { data } = Secret.parse(
      await read("secret", first.s3Identity.secret, "--namespace", first.namespace),
    );
    objects.push({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: first.s3Identity.secret, namespace: NAMESPACE },
      data,
    });
  }
  await kubectl(
    ["apply", "--filename=-"],
    JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }),
  );
  const folder = await mkdtemp(join(tmpdir(), "mayfly-fault-neighbour-"));
  const file = join(folder, "contract.json");
  const tenants = [...contract.tenants, { ...first, id: NEIGHBOUR, namespace: NAMESPACE }];
  await writeFile(file, JSON.stringify({ ...contract, tenants }));
  return {
    contract: file,
    remove: async () => {
      await kubectl(["delete", "namespace", NAMESPACE, "--wait=false"]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
