import type { RunIdentity } from "../../../jobs/plan/plan.ts";
import { EnvironmentContract } from "../../../schema/contract.ts";
import { JobSpec } from "../../../schema/job.ts";

/** An environment with a small and a large on-demand pool and one of spot capacity, in two zones. */
export const environment = (): EnvironmentContract =>
  EnvironmentContract.parse({
    apiVersion: "mayfly.dev/environment/v2",
    name: "staging",
    class: "development",
    zones: ["eu-west-1a", "eu-west-1b"],
    clusterId: "0b9f2c1e-7f0a-4f0e-9e1c-6f2f4a5f7a11",
    pools: [
      pool(
        "memory",
        "r7i.4xlarge",
        "on-demand",
        { cpu: 15_500, memory: 120_000, scratch: 200_000, pods: 50 },
        1.0584,
      ),
      pool(
        "general",
        "m7i.xlarge",
        "on-demand",
        { cpu: 3800, memory: 14_500, scratch: 60_000, pods: 50 },
        0.2016,
      ),
      pool(
        "general-spot",
        "m7i.xlarge",
        "spot",
        { cpu: 3800, memory: 14_500, scratch: 60_000, pods: 50 },
        0.08,
      ),
    ],
    storageClasses: ["gp3", "local-nvme"],
    tenants: [
      {
        id: "acme",
        namespace: "tenant-acme",
        quota: { cpu: 64_000, memory: 400_000, scratch: 2_000_000, pods: 60 },
        pools: ["memory", "general", "general-spot"],
        s3Identity: { kind: "secret", secret: "s3" },
        buckets: ["acme-code", "acme-data"],
      },
      {
        id: "globex",
        namespace: "tenant-globex",
        quota: { cpu: 8000, memory: 16_000, scratch: 100_000, pods: 1 },
        pools: ["memory", "general", "general-spot"],
        s3Identity: { kind: "web-identity", roleArn: "arn:aws:iam::123456789012:role/globex" },
        buckets: ["globex-data"],
      },
    ],
    images: [
      {
        engine: "spark",
        version: "3.5.8",
        reference: "registry.example/spark:3.5.8@sha256:aa",
        pullPolicy: "IfNotPresent",
      },
      {
        engine: "spark",
        version: "4.0.1",
        reference: "registry.example/spark:4.0.1@sha256:bb",
        pullPolicy: "IfNotPresent",
      },
      {
        engine: "spark",
        version: "4.0.10",
        reference: "registry.example/spark:4.0.10@sha256:cc",
        pullPolicy: "IfNotPresent",
      },
    ],
    s3: { endpoint: "http://10.244.0.1:7070", region: "us-east-1", pathStyle: true },
    buckets: { logs: "mayfly-logs" },
    repositories: [],
    lacks: [],
    egress: [
      {
        name: "s3",
        peers: [{ kind: "cidr", cidr: "10.244.0.1/32" }],
        ports: [{ protocol: "TCP", port: 7070 }],
      },
    ],
    limits: { pendingDeadline: 600, imageDeadline: 300, startDeadline: 120 },
  });

function pool(
  name: string,
  instanceType: string,
  capacity: "on-demand" | "spot",
  allocatable: { cpu: number; memory: number; scratch: number; pods: number },
  amount: number,
) {
  return {
    name,
    instanceType,
    capacity,
    zones: ["eu-west-1a", "eu-west-1b"],
    maxNodesPerZone: 10,
    allocatable,
    nodeSelector: { "mayfly.dev/pool": name },
    tolerations:
      capacity === "spot" ? [{ key: "mayfly.dev/spot", operator: "Exists", effect: "NoSchedule" }] : [],
    pricePerHour: { amount, currency: "USD", asOf: "2026-11-01" },
  };
}

/** A PySpark job as a spec file would hold it; `changes` replace whole top-level fields. */
export const wordcount = (changes: Readonly<Record<string, unknown>> = {}): JobSpec =>
  JobSpec.parse({
    apiVersion: "mayfly.dev/v1",
    name: "wordcount",
    tenant: "acme",
    engine: "spark",
    version: "4.0.1",
    application: { kind: "python", file: "s3://acme-code/wordcount.py" },
    arguments: ["s3://acme-data/books", "s3://acme-data/counts"],
    driver: { memory: "1Gi" },
    workers: { count: 2, memory: "4Gi" },
    output: { locations: ["s3://acme-data/counts"] },
    ...changes,
  });

/** A jar from the image that touches no S3. */
export const pi = (changes: Readonly<Record<string, unknown>> = {}): JobSpec =>
  JobSpec.parse({
    apiVersion: "mayfly.dev/v1",
    name: "pi",
    tenant: "acme",
    engine: "spark",
    version: "3.5.8",
    application: { kind: "jar", file: "local:///opt/spark/examples/pi.jar", mainClass: "com.example.Pi" },
    workers: { count: 2 },
    ...changes,
  });

export const identity: RunIdentity = { run: "wordcount-11240544-k3fqa", attempt: 1 };
