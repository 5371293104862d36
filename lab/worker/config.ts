// What the lab adds for workers in its cluster: to its stack's config, and beside its connection. Pure.
import type { Connection } from "../../schema/connection.ts";
import { LAB, LAB_WORKER } from "../settings.ts";
import { LEDGER } from "./ledger.ts";

/** Workers that are wanted in the lab's cluster. */
export interface Workers {
  /** Of the image that the lab has built and imported. */
  readonly image: string;
  readonly replicas: number;
  /** Runs at a time for each. */
  readonly slots: number;
}

/** Where all that belongs to workers lies in the cluster: as components/platform/worker.ts names it. */
export const WORKER = { namespace: "mayfly-worker", deployment: "worker", secret: "mayfly-worker" } as const;

/** Bucket of the job stacks' state, which workers and this machine share. */
const STATE_BUCKET = "mayfly-state";

/** The state of job stacks in the lab's S3: https://www.pulumi.com/docs/iac/concepts/state-and-backends/#aws-s3 */
export const stateUrl = ({ s3 }: Connection): string =>
  `s3://${STATE_BUCKET}?endpoint=${s3.endpoint}&region=${s3.region}&s3ForcePathStyle=${String(s3.pathStyle)}`;

/** The connection of this machine to the same environment, with the state where its workers have it. */
export const workersConnection = (connection: Connection): Connection => ({
  ...connection,
  pulumi: { ...connection.pulumi, backendUrl: stateUrl(connection) },
});

/** The value of `mayfly:worker` in the lab's stack. Rules name the node's address: policies apply after service translation. */
export function workerConfig(workers: Workers, connection: Connection, authority: string): object {
  const peers = [{ kind: "cidr", cidr: `${LAB.nodeIp}/32` }];
  const rule = (name: string, port: number) => ({ name, peers, ports: [{ protocol: "TCP", port }] });
  return {
    image: { reference: workers.image, pullPolicy: "Never" },
    replicas: workers.replicas,
    slots: workers.slots,
    secret: WORKER.secret,
    ledger: { ...LEDGER, ca: authority },
    state: stateUrl(connection),
    kubernetesPlugin: connection.pulumi.kubernetesPlugin,
    egress: [rule("api-server", LAB.ports.apiserver), rule("ledger", LEDGER.port)],
  };
}

/** A credentials file with the workers' own identity, under the name that their connection has for it. */
export const workerProfile = { name: "mayfly", of: LAB_WORKER } as const;
