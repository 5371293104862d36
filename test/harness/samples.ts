import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { projectDir } from "../../base/paths.ts";
import { planRun } from "../../jobs/plan/index.ts";
import { EnvironmentContract } from "../../schema/contract.ts";
import { JobSpec } from "../../schema/job.ts";
import type { FlinkPlan, Plan, SparkPlan } from "../../schema/plan.ts";

const GIB = 1024;

/** A lab with one node, and a cloud environment whose workers run on spot capacity with disks and a cloud identity. */
export const CONTRACTS = {
  lab: EnvironmentContract.parse({
    apiVersion: "mayfly.dev/environment/v2",
    name: "lab",
    class: "lab",
    zones: ["lab-a"],
    clusterId: "5b3f0a52-8d5e-4c53-9d68-7f6b0f5d1c11",
    pools: [
      {
        name: "default",
        instanceType: "lab",
        capacity: "on-demand",
        zones: ["lab-a"],
        maxNodesPerZone: 1,
        allocatable: { cpu: 2000, memory: 16 * GIB, scratch: 64 * GIB, pods: 110 },
        nodeSelector: { "mayfly.dev/pool": "default" },
        tolerations: [],
      },
    ],
    storageClasses: [],
    tenants: [
      {
        id: "demo",
        namespace: "tenant-demo",
        quota: { cpu: 64_000, memory: 256 * GIB, scratch: 1024 * GIB, pods: 200 },
        pools: ["default"],
        s3Identity: { kind: "secret", secret: "s3-identity" },
        buckets: ["demo-code", "demo-input", "demo-output"],
      },
    ],
    images: (
      [
        ["spark", "4.0.1"],
        ["spark", "3.5.8"],
        ["flink", "2.3.0"],
        ["flink", "1.20.1"],
      ] as const
    ).map(([engine, version]) => ({
      engine,
      version,
      reference: `mayfly.dev/${engine}:${version}`,
      pullPolicy: "Never",
    })),
    s3: { endpoint: "http://10.244.0.1:7070", region: "us-east-1", pathStyle: true },
    buckets: { logs: "mayfly-logs" },
    repositories: [],
    lacks: [],
    egress: [
      {
        name: "dns",
        peers: [{ kind: "cidr", cidr: "10.244.0.1/32" }],
        ports: [
          { protocol: "UDP", port: 5353 },
          { protocol: "TCP", port: 5353 },
        ],
      },
      {
        name: "s3",
        peers: [{ kind: "cidr", cidr: "10.244.0.1/32" }],
        ports: [{ protocol: "TCP", port: 7070 }],
      },
    ],
    limits: { pendingDeadline: 120, imageDeadline: 60, startDeadline: 120 },
  }),
  cloud: EnvironmentContract.parse({
    apiVersion: "mayfly.dev/environment/v2",
    name: "production",
    class: "production",
    zones: ["eu-central-1a", "eu-central-1b"],
    clusterId: "0c1e9c3a-2c55-4a1c-a6cb-2b1f3bb9e0aa",
    pools: ["on-demand", "spot"].map((capacity) => ({
      name: `m7g-${capacity}`,
      instanceType: "m7g.4xlarge",
      capacity,
      zones: ["eu-central-1a", "eu-central-1b"],
      maxNodesPerZone: 50,
      allocatable: { cpu: 15_800, memory: 57 * GIB, scratch: 90 * GIB, pods: 58 },
      nodeSelector: { "mayfly.dev/pool": `m7g-${capacity}` },
      tolerations: [
        { key: "mayfly.dev/runs", operator: "Exists", effect: "NoSchedule" },
        ...(capacity === "spot"
          ? [{ key: "mayfly.dev/capacity", operator: "Equal", value: "spot", effect: "NoSchedule" }]
          : []),
      ],
    })),
    storageClasses: ["gp3"],
    tenants: [
      {
        id: "acme",
        namespace: "tenant-acme",
        quota: { cpu: 500_000, memory: 2000 * GIB, scratch: 4000 * GIB, pods: 500 },
        pools: ["m7g-on-demand", "m7g-spot"],
        s3Identity: { kind: "web-identity", roleArn: "arn:aws:iam::123456789012:role/tenant-acme" },
        buckets: ["acme-lake"],
      },
    ],
    images: [
      {
        engine: "spark",
        version: "4.0.1",
        reference: `123456789012.dkr.ecr.eu-central-1.amazonaws.com/mayfly/spark@sha256:${"0a".repeat(32)}`,
        pullPolicy: "IfNotPresent",
      },
    ],
    s3: { endpoint: "https://s3.eu-central-1.amazonaws.com", region: "eu-central-1", pathStyle: false },
    buckets: { logs: "acme-mayfly-logs" },
    repositories: [],
    lacks: [],
    egress: [
      {
        name: "dns",
        peers: [
          {
            kind: "pods",
            namespaceLabels: { "kubernetes.io/metadata.name": "kube-system" },
            podLabels: { "k8s-app": "kube-dns" },
          },
        ],
        ports: [
          { protocol: "UDP", port: 53 },
          { protocol: "TCP", port: 53 },
        ],
      },
      {
        name: "https",
        peers: [
          {
            kind: "cidr",
            cidr: "0.0.0.0/0",
            except: ["10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"],
          },
        ],
        ports: [{ protocol: "TCP", port: 443 }],
      },
    ],
    limits: { pendingDeadline: 600, imageDeadline: 300, startDeadline: 300 },
  }),
} as const;

const example = (name: string): JobSpec =>
  JobSpec.parse(parse(readFileSync(join(projectDir, "examples", name, "job.yaml"), "utf8")));

const sessions = JobSpec.parse({
  apiVersion: "mayfly.dev/v1",
  name: "sessions",
  tenant: "acme",
  engine: "spark",
  version: "4.0.1",
  application: {
    kind: "jar",
    file: "s3://acme-lake/code/sessions.jar",
    mainClass: "com.acme.sessions.Daily",
  },
  arguments: ["--day", "2026-11-23"],
  environment: { STAGE: "production" },
  secrets: [{ env: "GEO_API_KEY", secret: "geo-api", key: "token" }],
  driver: { cores: 2, memory: "4Gi" },
  workers: { count: 6, cores: 4, memory: "12Gi", offHeap: "2Gi" },
  scratch: { kind: "storageClass", storageClass: "gp3", size: "100Gi" },
  deadline: "2h",
  serviceLevel: { spot: "workers" },
});

const planOf = (spec: JobSpec, contract: EnvironmentContract): Plan => {
  const result = planRun(spec, contract, { run: `${spec.name}-11240600-k3fqz`, attempt: 1 });
  if (!result.ok) throw new Error(`${spec.name} was refused: ${result.refusal.message}`);
  return result.plan;
};

const sparkPlan = (spec: JobSpec, contract: EnvironmentContract): SparkPlan => {
  const plan = planOf(spec, contract);
  if (plan.engine !== "spark") throw new Error(`${spec.name} is not of Spark`);
  return plan;
};

const flinkPlan = (spec: JobSpec, contract: EnvironmentContract): FlinkPlan => {
  const plan = planOf(spec, contract);
  if (plan.engine !== "flink") throw new Error(`${spec.name} is not of Flink`);
  return plan;
};

/** Plans of the Flink examples: a batch job, a stream with RocksDB, and one with a service. */
export const flinkPlans = (): Readonly<
  Record<"flink-wordcount" | "flink-stream" | "flink-enrich", FlinkPlan>
> => ({
  "flink-wordcount": flinkPlan(example("flink-wordcount"), CONTRACTS.lab),
  "flink-stream": flinkPlan(example("flink-stream"), CONTRACTS.lab),
  "flink-enrich": flinkPlan(example("flink-enrich"), CONTRACTS.lab),
});

/** The stream with high availability by Kubernetes, in an environment and of a tenant that have it. */
export const availablePlan = (): FlinkPlan => {
  const { lab } = CONTRACTS;
  const spec = JobSpec.parse({ ...example("flink-stream"), highAvailability: "kubernetes" });
  return flinkPlan(spec, {
    ...lab,
    tenants: lab.tenants.map((tenant) => ({ ...tenant, allowHighAvailability: true })),
    highAvailability: {
      roles: { coordinator: "mayfly-lab-state-writer", workers: "mayfly-lab-state-reader" },
      api: {
        name: "kubernetes-api",
        peers: [{ kind: "cidr", cidr: "10.244.0.1/32", except: [] }],
        ports: [{ protocol: "TCP", port: 6443 }],
      },
    },
  });
};

/** Plans of three jobs: no S3; S3 by a secret; jar on spot with volumes, a secret of its own and a cloud identity. */
export const samplePlans = (): Readonly<Record<"pi" | "wordcount" | "sessions", SparkPlan>> => ({
  pi: sparkPlan(example("pi"), CONTRACTS.lab),
  wordcount: sparkPlan(example("wordcount"), CONTRACTS.lab),
  sessions: sparkPlan(sessions, CONTRACTS.cloud),
});
