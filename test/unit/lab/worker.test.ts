import { expect, test } from "vitest";
import { WORKER_PATHS } from "../../../components/platform/worker-paths.ts";
import { WORKER_LAYOUT } from "../../../images/worker/layout.ts";
import { environmentLines } from "../../../lab/connection.ts";
import { labPaths } from "../../../lab/paths.ts";
import { workerConfig, workersConnection } from "../../../lab/worker/config.ts";
import { ledgerVariables } from "../../../lab/worker/ledger.ts";
import { Connection } from "../../../schema/connection.ts";
import { ExistingWorker } from "../../../schema/environment/worker.ts";

const paths = labPaths("/state/lab");
const connection = Connection.parse({
  apiVersion: "mayfly.dev/connection/v1",
  name: "lab",
  kubeconfig: paths.kubeconfig,
  contract: paths.contract,
  path: ["/tools/bin"],
  pulumi: {
    home: "/state/pulumi-home",
    backendUrl: "file:///state/pulumi",
    passphraseFile: "/state/pulumi-passphrase",
    kubernetesPlugin: "stand-in",
  },
  s3: {
    endpoint: "http://10.244.0.1:7070",
    region: "us-east-1",
    pathStyle: true,
    credentialsFile: "/state/lab/s3/credentials",
    profile: "mayfly",
  },
});
const workers = { image: "mayfly.dev/worker:0123456789ab", replicas: 2, slots: 2 };
const PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";

test("what the lab says of its workers is what an environment takes", () => {
  const config = ExistingWorker.parse(workerConfig(workers, connection, PEM));
  expect(config).toMatchObject({ replicas: 2, slots: 2, kubernetesPlugin: "stand-in" });
  const reached = config.egress.flatMap(({ ports }) => ports.map(({ port }) => port));
  expect(reached).toEqual([6443, config.ledger.port]);
});

test("workers and this machine have the state of job stacks at one place, in S3", () => {
  const shared = workersConnection(connection);
  expect(shared.pulumi.backendUrl).toBe(ExistingWorker.parse(workerConfig(workers, connection, PEM)).state);
  expect(new URL(shared.pulumi.backendUrl).searchParams.get("endpoint")).toBe(connection.s3.endpoint);
});

test("a shell gets the workers' ledger with the name of the password's file, and no password", () => {
  const lines = environmentLines(connection, paths.workersConnection, ledgerVariables(paths)).join("\n");
  expect(lines).toContain("PGPASSFILE=/state/lab/ledger/pgpass");
  const [, url = ""] = /MAYFLY_LEDGER='(.*)'/.exec(lines) ?? [];
  const { password, searchParams } = new URL(url);
  expect(password).toBe("");
  expect(searchParams.get("sslmode")).toBe("verify-full");
  expect(searchParams.get("sslrootcert")).toBe("/state/lab/certificates/ca.crt");
});

test("two labs have their Postgres at two places, out of the folders that are closed to its user", () => {
  expect(labPaths("/root/other/lab").postgres).not.toBe(paths.postgres);
  expect(paths.postgres).toMatch(/^\/var\/lib\/mayfly-lab\/[0-9a-f]{8}\/postgres$/);
});

test("the image has its folders where the pod's component looks for them", () => {
  expect(WORKER_PATHS).toMatchObject({
    work: WORKER_LAYOUT.work,
    pulumi: WORKER_LAYOUT.pulumiBin,
    pulumiHome: WORKER_LAYOUT.pulumiHome,
  });
});
