// Where the stream of a chapter lives: a place of the fault suite, with a door to S3 before its pods as well.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readConnection } from "../../lab/connection.ts";
import { labPaths } from "../../lab/paths.ts";
import { EnvironmentContract } from "../../schema/contract.ts";
import type { Certificate } from "../faults/certificate.ts";
import { type Gate, openGate } from "../faults/gate.ts";
import { makePlace, type Place } from "../faults/place.ts";

export interface FlinkPlaceOptions {
  /** Tenants may have Kubernetes HA. */
  readonly highAvailability?: boolean;
  /** Zones that the environment says it has; the lab's where left out. */
  readonly zones?: readonly string[];
  /** How long a cluster may take until it is healthy, in seconds. */
  readonly startSeconds?: number;
}

export interface FlinkPlace extends Place {
  /** The only way to S3 for the pods of the place's runs; Mayfly's own is `s3`. */
  readonly podsS3: Gate;
  /** Takes S3 from the place's runs and helpers, and from nobody else. */
  readonly s3Away: () => Promise<void>;
  readonly s3Back: () => Promise<void>;
}

/** @param name Of the stream; unique in the suite. */
export async function makeFlinkPlace(
  name: string,
  certificate: Certificate,
  options: FlinkPlaceOptions = {},
): Promise<FlinkPlace> {
  const lab = readConnection(labPaths());
  const { hostname, port } = new URL(lab.s3.endpoint);
  // On the node's address: the lab's pods reach no other.
  const podsS3 = await openGate({ host: hostname, port: Number(port) }, hostname);
  const folder = await mkdtemp(join(tmpdir(), "mayfly-flink-"));
  const contract = join(folder, "contract.json");
  const of = EnvironmentContract.parse(JSON.parse(await readFile(lab.contract, "utf8")));
  await writeFile(
    contract,
    JSON.stringify(changed(of, Number(port), `http://${hostname}:${podsS3.port}`, podsS3.port, options)),
  );
  const place = await makePlace(name, certificate, { contract });
  return {
    ...place,
    podsS3,
    s3Away: async () => {
      await Promise.all([podsS3.down(), place.s3.down()]);
    },
    s3Back: async () => {
      await Promise.all([podsS3.restore(), place.s3.restore()]);
    },
    remove: async () => {
      await Promise.all([podsS3.close(), place.remove()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The lab's contract, with S3 behind the door. @param from The store's own port, which pods may then not reach any more. */
function changed(
  contract: EnvironmentContract,
  from: number,
  endpoint: string,
  to: number,
  { highAvailability = false, zones, startSeconds }: FlinkPlaceOptions,
): EnvironmentContract {
  return {
    ...contract,
    s3: { ...contract.s3, endpoint },
    egress: contract.egress.map((rule) => ({
      ...rule,
      ports: rule.ports.map((one) => (one.port === from ? { ...one, port: to } : one)),
    })),
    ...(highAvailability
      ? { tenants: contract.tenants.map((tenant) => ({ ...tenant, allowHighAvailability: true })) }
      : {}),
    ...(zones === undefined
      ? {}
      : { zones: [...zones], pools: contract.pools.map((pool) => ({ ...pool, zones: [...zones] })) }),
    ...(startSeconds === undefined ? {} : { limits: { ...contract.limits, startDeadline: startSeconds } }),
  };
}
