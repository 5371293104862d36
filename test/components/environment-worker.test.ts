import { describe, expect, test } from "vitest";
import { z } from "zod";
import { Connection } from "../../schema/connection.ts";
import { EnvironmentContract } from "../../schema/contract.ts";
import { committedConfig, contractOf, recordEnvironment } from "../harness/environment.ts";
import { graphProblems, podSpecs } from "../harness/invariants.ts";
import type { Graph } from "../harness/record.ts";

const EXISTING = {
  "kube-system": { metadata: { uid: "7e57d004-2b97-44e2-8b7e-2d1d1a7d2f3a" } },
  "mayfly-lab": {
    status: {
      allocatable: { cpu: "1930m", memory: "24041296Ki", "ephemeral-storage": "267847884800", pods: "110" },
    },
  },
};
const CA = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
const LAB_WORKER = {
  image: { reference: "mayfly.dev/worker:0c0c0c0c0c0c", pullPolicy: "Never" },
  slots: 2,
  ledger: { host: "10.244.0.1", port: 7432, database: "mayfly", user: "mayfly", ca: CA },
  state: "s3://mayfly-state?endpoint=http://10.244.0.1:7070&region=us-east-1&s3ForcePathStyle=true",
  kubernetesPlugin: "stand-in",
  egress: [
    {
      name: "api-server",
      peers: [{ kind: "cidr", cidr: "10.244.0.1/32" }],
      ports: [{ protocol: "TCP", port: 6443 }],
    },
    {
      name: "ledger",
      peers: [{ kind: "cidr", cidr: "10.244.0.1/32" }],
      ports: [{ protocol: "TCP", port: 7432 }],
    },
  ],
};

const up = async (stack: string, changes: Readonly<Record<string, unknown>> = {}): Promise<Graph> =>
  await recordEnvironment(stack, changes, { existing: EXISTING });
const documents = (graph: Graph): Readonly<Record<string, string>> =>
  z.record(z.string(), z.string()).parse(graph.get("worker-connection").inputs["data"]);
const parsed = (text: string | undefined): unknown => JSON.parse(text ?? "");
const Policies = z.object({
  egress: z.array(
    z.object({
      to: z.array(z.looseObject({ ipBlock: z.looseObject({ cidr: z.string() }).optional() })),
      ports: z.array(z.looseObject({ port: z.number() })),
    }),
  ),
});
const reaches = (graph: Graph): string[] =>
  Policies.parse(graph.get("worker-egress").inputs["spec"]).egress.flatMap(({ to, ports }) =>
    to.flatMap(({ ipBlock }) => ports.map(({ port }) => `${ipBlock?.cidr ?? "pods"}:${port}`)),
  );

describe("an environment without a worker in its config", () => {
  test.each(["lab", "prod"])("has none of its resources: %s", async (stack) => {
    expect(committedConfig(stack)["mayfly:worker"]).toBeUndefined();
    const graph = await up(stack);
    expect(graph.resources.filter(({ name }) => name.startsWith("worker"))).toEqual([]);
  });
});

describe("a worker on a cluster that is there", async () => {
  const graph = await up("lab", { "mayfly:worker": LAB_WORKER });
  const files = documents(graph);

  test("keeps the rules of every graph", () => {
    expect(graphProblems(graph)).toEqual([]);
  });

  test("is told the environment's own contract, and a connection that Mayfly takes", () => {
    expect(EnvironmentContract.parse(parsed(files["contract.json"]))).toEqual(contractOf(graph));
    expect(Connection.parse(parsed(files["connection.json"]))).toEqual({
      apiVersion: "mayfly.dev/connection/v1",
      name: "lab",
      kubeconfig: "/etc/mayfly/kubeconfig",
      contract: "/etc/mayfly/contract.json",
      path: ["/opt/mayfly/pulumi/bin"],
      pulumi: {
        home: "/opt/mayfly/pulumi/home",
        backendUrl: LAB_WORKER.state,
        passphraseFile: "/etc/mayfly-secret/passphrase",
        kubernetesPlugin: "stand-in",
      },
      s3: {
        endpoint: "http://10.244.0.1:7070",
        region: "us-east-1",
        pathStyle: true,
        credentialsFile: "/etc/mayfly-secret/s3-credentials",
        profile: "mayfly",
      },
    });
    expect(Object.keys(files).sort()).toEqual([
      "connection.json",
      "contract.json",
      "kubeconfig",
      "ledger-ca.crt",
    ]);
  });

  test("talks to its own cluster with the token that the kubelet renews", () => {
    expect(parsed(files["kubeconfig"])).toMatchObject({
      clusters: [{ cluster: { server: "https://kubernetes.default.svc" } }],
      users: [{ user: { tokenFile: "/var/run/secrets/kubernetes.io/serviceaccount/token" } }],
    });
  });

  test("finds its ledger by an address without a password, by TLS that checks the certificate", () => {
    const [container] = podSpecs(graph).get("worker-deployment")?.containers ?? [];
    expect(container).toMatchObject({
      env: expect.arrayContaining([
        {
          name: "MAYFLY_LEDGER",
          value:
            "postgres://mayfly@10.244.0.1:7432/mayfly?sslmode=verify-full&sslrootcert=/etc/mayfly/ledger-ca.crt",
        },
        { name: "PGPASSFILE", value: "/etc/mayfly-secret/pgpass" },
      ]) as unknown,
    });
    expect(files["ledger-ca.crt"]).toBe(CA);
  });

  test("reaches what runs reach, and what its config names beside that", () => {
    expect(reaches(graph)).toEqual([
      "10.244.0.1/32:5353",
      "10.244.0.1/32:5353",
      "10.244.0.1/32:7070",
      "10.244.0.1/32:6443",
      "10.244.0.1/32:7432",
    ]);
  });

  test("comes after tenants' namespaces, and looks for this environment's fence only", () => {
    expect(graph.get("worker-tenant-demo").inputs).toMatchObject({ metadata: { namespace: "tenant-demo" } });
    expect(graph.get("worker-tenant-demo").dependencies).toContain("tenant-demo-namespace");
    const { fence } = contractOf(graph);
    expect(graph.get("worker-role").inputs).toMatchObject({
      rules: expect.arrayContaining([expect.objectContaining({ resourceNames: fence?.policies })]) as unknown,
    });
  });
});

describe("a worker on EKS, as committed in Pulumi.dev.yaml", async () => {
  const graph = await up("dev");

  test("keeps the rules of every graph, and the environment below 250 resources", () => {
    expect(graphProblems(graph)).toEqual([]);
    expect(graph.resources.length).toBeLessThanOrEqual(250);
  });

  test("runs on the system pool, by digest", () => {
    expect(podSpecs(graph).get("worker-deployment")).toMatchObject({
      nodeSelector: { "mayfly.dev/pool": "system" },
      containers: [{ image: expect.stringMatching(/\/mayfly\/worker@sha256:[0-9a-f]{64}$/) as unknown }],
    });
  });

  test("reads S3's credentials from a profile that trades its token for a role", () => {
    const files = documents(graph);
    expect(files["s3-credentials"]).toBe(
      [
        "[mayfly]",
        "role_arn = arn:aws:iam::123456789012:role/worker-identity-role",
        "web_identity_token_file = /var/run/secrets/mayfly.dev/aws/token",
        "role_session_name = mayfly-worker",
        "",
      ].join("\n"),
    );
    expect(Connection.parse(parsed(files["connection.json"]))).toMatchObject({
      pulumi: {
        backendUrl: "s3://mayfly-dev-state-123456789012?region=us-east-1",
        kubernetesPlugin: "official",
      },
      s3: { credentialsFile: "/etc/mayfly/s3-credentials", profile: "mayfly" },
    });
  });

  test("has a role that nobody but its service account may take", () => {
    const role = graph.get("worker-identity-role").inputs;
    expect(JSON.parse(String(role["assumeRolePolicy"]))).toMatchObject({
      Statement: [
        {
          Action: "sts:AssumeRoleWithWebIdentity",
          Condition: {
            StringEquals: {
              "oidc.eks.us-east-1.amazonaws.com/id/PROD:sub": "system:serviceaccount:mayfly-worker:worker",
              "oidc.eks.us-east-1.amazonaws.com/id/PROD:aud": "sts.amazonaws.com",
            },
          },
        },
      ],
    });
  });

  test("may do this in S3 and no more", () => {
    const Policy = z.object({
      Statement: z.array(
        z.object({ Sid: z.string(), Action: z.array(z.string()), Resource: z.array(z.string()) }),
      ),
    });
    const { Statement } = Policy.parse(
      JSON.parse(String(graph.get("worker-identity-policy").inputs["policy"])),
    );
    const state = "arn:aws:s3:::state-bucket";
    const logs = "arn:aws:s3:::logs-bucket";
    const lake = "arn:aws:s3:::acme-dev-lake";
    expect(
      Object.fromEntries(Statement.map(({ Sid, Action, Resource }) => [Sid, [Action, Resource]])),
    ).toEqual({
      Look: [["s3:ListBucket"], [state, logs, lake]],
      State: [["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], [`${state}/*`]],
      Logs: [["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"], [`${logs}/*`]],
      Inputs: [["s3:GetObject"], [`${lake}/*`]],
      Folders: [["s3:PutObject"], [`${lake}/*/`]],
      Key: [["kms:Decrypt", "kms:GenerateDataKey"], ["arn:aws:kms:us-east-1:123456789012:key-key"]],
    });
  });

  test("reaches the control plane's interfaces in the nodes' subnets and the ledger, beside what runs reach", () => {
    const all = reaches(graph);
    expect(all).toContain("10.60.0.0/24:5432");
    // Nodes' subnets of both zones, for the API server alone: none of their kubelets.
    expect(all.filter((line) => !/:(53|443|5432)$/.test(line))).toEqual([]);
    expect(all.filter((line) => /^10\.48\.(32|96)\.0\/19:443$/.test(line))).toHaveLength(2);
  });
});
