import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { UserError } from "../../../base/errors.ts";
import { projectDir } from "../../../base/paths.ts";
import { checkedConfig } from "../../../stacks/environment/check-config.ts";

type Values = Readonly<Record<string, unknown>>;

const Stack = z.object({ config: z.record(z.string(), z.unknown()) });

/** The config of a committed stack, by key without namespace. */
function committed(stack: string): Values {
  const text = readFileSync(join(projectDir, `Pulumi.${stack}.yaml`), "utf8");
  return Object.fromEntries(
    Object.entries(Stack.parse(parse(text)).config).map(([key, value]) => [
      key.replace(/^mayfly:/, ""),
      value,
    ]),
  );
}

/** A copy of a document with other values at some paths; undefined takes a member away. */
function changed(document: unknown, changes: Values): Values {
  const copy = z.record(z.string(), z.unknown()).parse(structuredClone(document));
  for (const [path, value] of Object.entries(changes)) {
    const steps = path.split(".");
    const last = steps.pop() ?? "";
    let at: object = copy;
    for (const step of steps) at = z.custom<object>().parse(Reflect.get(at, step));
    if (value === undefined) Reflect.deleteProperty(at, last);
    else Reflect.set(at, last, value);
  }
  return copy;
}

/** What is said of production's config with some changes. */
function refusal(changes: Values, stack = "prod"): UserError {
  try {
    checkedConfig(changed(committed(stack), changes), `Pulumi.${stack}.yaml`);
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  throw new Error("the config was taken");
}

describe("the committed configs", () => {
  test.each(["prod", "dev", "lab"])("of %s is valid", (stack) => {
    expect(() => checkedConfig(committed(stack), `Pulumi.${stack}.yaml`)).not.toThrow();
  });

  test("of dev and prod have the same keys, so that they differ in values only; dev tries the worker first", () => {
    expect(Object.keys(committed("dev"))).toEqual([
      ...Object.keys(committed("prod")),
      "repositories",
      "worker",
    ]);
  });
});

describe("a mistake in production's config is refused with its path and what is allowed:", () => {
  const pool = { name: "general", instanceTypes: ["m7g.4xlarge"], nodesPerZone: { max: 20 } };
  test.each<[what: string, changes: Values, path: string, message: string]>([
    [
      "a region that isn't there",
      { "cluster.region": "us-esat-1" },
      "cluster.region",
      'Did you mean "us-east-1"?',
    ],
    [
      "a zone of another region",
      { "cluster.zones": ["us-east-1a", "eu-central-1b"] },
      "cluster.zones[1]",
      'region us-east-1 has no zone "eu-central-1b"',
    ],
    ["a zone twice", { "cluster.zones.1": "us-east-1a" }, "cluster.zones[1]", "us-east-1a is there already"],
    ["one zone only", { "cluster.zones": ["us-east-1a"] }, "cluster.zones", "at least two zones"],
    [
      "an instance type that isn't there",
      { "pools.0.instanceTypes": ["m7g.4xlrage"] },
      "pools[0].instanceTypes[0]",
      '"m7g.4xlarge"',
    ],
    [
      "an instance type of the system pool that isn't there",
      { "cluster.systemPool.instanceType": "m7q.large" },
      "cluster.systemPool.instanceType",
      'no instance type "m7q.large"',
    ],
    [
      "types of two shapes in one pool",
      { "pools.0.instanceTypes": ["m7g.4xlarge", "m7g.8xlarge"] },
      "pools[0].instanceTypes[1]",
      "types of one pool have one shape",
    ],
    [
      "types of two architectures in one pool",
      { "pools.0.instanceTypes": ["m7g.4xlarge", "m7i.4xlarge"] },
      "pools[0].instanceTypes[1]",
      "m7i.4xlarge is x86_64, m7g.4xlarge arm64",
    ],
    [
      "local disks of a type without any",
      { "pools.0.localDisks": "scratch" },
      "pools[0].localDisks",
      "m7g.4xlarge has no local disks",
    ],
    [
      "a pool in a zone that the cluster doesn't have",
      { "pools.0.zones": ["us-east-1a", "us-east-1f"] },
      "pools[0].zones[1]",
      '"us-east-1f" is not one of cluster.zones',
    ],
    [
      "pods in the range of the nodes",
      { "cluster.network.podCidr": "10.40.128.0/17" },
      "cluster.network.podCidr",
      "10.40.128.0/17 overlaps cluster.network.vpcCidr 10.40.0.0/16",
    ],
    [
      "nodes in a range that they use themselves",
      { "cluster.network.vpcCidr": "172.17.0.0/16" },
      "cluster.network.vpcCidr",
      "overlaps 172.17.0.0/16",
    ],
    [
      "a range too small",
      { "cluster.network.vpcCidr": "10.40.0.0/26" },
      "cluster.network.vpcCidr",
      "10.40.0.0/26",
    ],
    ["no range at all", { "cluster.network.vpcCidr": "10.40.0.0" }, "cluster.network.vpcCidr", "IPv4"],
    [
      "max below min",
      { "pools.0.nodesPerZone": { min: 3, max: 2 } },
      "pools[0].nodesPerZone.max",
      "2 is below min, 3",
    ],
    [
      "a system pool that scales to zero",
      { "cluster.systemPool.nodesPerZone": { min: 0, max: 2 } },
      "cluster.systemPool.nodesPerZone.min",
      "at least 1",
    ],
    [
      "spot capacity for the system pool",
      { "cluster.systemPool.capacity": "spot" },
      "cluster.systemPool.capacity",
      "on-demand only",
    ],
    ["two pools of one name", { "pools.1": pool }, "pools[1].name", '"general", is there already: pools[0]'],
    [
      "a pool removed that a tenant uses",
      { "pools.5.name": "shuffling" },
      "tenants[1].pools[2]",
      'tenant "globex" uses pool "shuffle", which is not there. Did you mean "shuffling"?',
    ],
    [
      "a tenant whose pools all drain",
      { "pools.0.state": "draining", "pools.2.state": "draining" },
      "tenants[2].pools",
      'tenant "initech" has no active pool left',
    ],
    [
      "a tenant whose runs would pass for another's",
      { "tenants.1.id": "acme-eu" },
      "tenants[1].id",
      '"acme-eu" begins with "acme-"',
    ],
    ["two tenants of one id", { "tenants.1.id": "acme" }, "tenants[1].id", '"acme", is there already'],
    [
      "a Kubernetes version without add-on versions",
      { "cluster.kubernetesVersion": "1.19" },
      "cluster.kubernetesVersion",
      '"1.19" is not supported',
    ],
    [
      "a Kubernetes version as number",
      { "cluster.kubernetesVersion": 1.35 },
      "cluster.kubernetesVersion",
      "put the version in quotes",
    ],
    [
      "nodes newer than the cluster",
      { "pools.0.kubernetesVersion": "1.36" },
      "pools[0].kubernetesVersion",
      "upgrade the cluster first",
    ],
    [
      "nodes too old for the cluster",
      { "pools.0.kubernetesVersion": "1.31" },
      "pools[0].kubernetesVersion",
      "4 minor versions older",
    ],
    [
      "a public API for everyone unnamed",
      { "cluster.endpoint": { access: "public" } },
      "cluster.endpoint.allowedCidrs",
      "is missing",
    ],
    [
      "a part left out without a reason",
      { "platform.calico": { install: false } },
      "platform.calico.because",
      "is missing",
    ],
    [
      "a start-up taint that nobody would take off",
      { "platform.calico": { install: false, because: "another CNI enforces policies" } },
      "platform.startupTaint",
      "waits for Calico",
    ],
    ["nobody to administer the cluster", { "cluster.access": [] }, "cluster.access", "at least one role"],
    ["a key of the other kind of cluster", { s3: { region: "us-east-1" } }, "", 'Unrecognized key: "s3"'],
  ])("%s", (_what, changes, path, message) => {
    const error = refusal(changes);
    expect(error.code).toBe("config-invalid");
    expect(error.path).toBe("Pulumi.prod.yaml");
    const line = error.message.split("\n").find((one) => one.includes(`mayfly:${path}`));
    expect(line, error.message).toContain(message);
  });

  test("all mistakes at once", () => {
    const { message } = refusal({
      "cluster.zones.1": "us-east-1z",
      "pools.0.instanceTypes": ["m7g.44xlarge"],
      "pools.2.nodesPerZone": { min: 9, max: 1 },
    });
    expect(message.split("\n")).toHaveLength(4);
  });
});

test("a tenant's high availability on another's cluster needs the way to its API; our own clusters' is known", () => {
  const { message } = refusal({ kubernetesApi: undefined }, "lab");
  expect(message).toContain("mayfly:tenants[0].allowHighAvailability");
  expect(message).toContain("kubernetesApi does not say how its pods reach the Kubernetes API");
  const production = changed(committed("prod"), { "tenants.0.allowHighAvailability": true });
  expect(() => checkedConfig(production, "Pulumi.prod.yaml")).not.toThrow();
});

describe("a mistake in a worker's config is refused with its path:", () => {
  test.each<[what: string, changes: Values, path: string, message: string]>([
    ["a ledger with a password", { "worker.ledger.password": "hunter2" }, "worker.ledger", "password"],
    [
      "a user that would break the address",
      { "worker.ledger.user": "may@fly" },
      "worker.ledger.user",
      "letters",
    ],
    ["a host with a path", { "worker.ledger.host": "db/mayfly" }, "worker.ledger.host", "host name"],
    ["an authority that is no certificate", { "worker.ledger.ca": "/etc/ca.crt" }, "worker.ledger.ca", "PEM"],
    ["nothing to reach the ledger by", { "worker.egress": [] }, "worker.egress", "ledger's address"],
    [
      "a ledger on a port that is closed",
      { "worker.ledger.port": 6432 },
      "worker.egress",
      "lets nobody reach the ledger at mayfly-dev.c1examples2db.us-east-1.rds.amazonaws.com, TCP port 6432",
    ],
    [
      "a ledger at an address that is closed",
      { "worker.ledger.host": "10.61.0.7" },
      "worker.egress",
      "lets nobody reach the ledger at 10.61.0.7, TCP port 5432",
    ],
    ["no runs at a time", { "worker.slots": 0 }, "worker.slots", ">=1"],
    ["a state of its own on EKS", { "worker.state": "s3://mine" }, "worker", 'Unrecognized key: "state"'],
    ["no image", { "worker.image": undefined }, "worker.image", "is missing"],
  ])("%s", (_what, changes, path, message) => {
    const error = refusal(changes, "dev");
    const line = error.message.split("\n").find((one) => one.includes(`mayfly:${path}`));
    expect(line, error.message).toContain(message);
  });

  test("but not a ledger at an address that is open", () => {
    const config = changed(committed("dev"), { "worker.ledger.host": "10.60.0.17" });
    expect(() => checkedConfig(config, "Pulumi.dev.yaml")).not.toThrow();
  });

  test("on a cluster that is there, a state that is no S3 bucket", () => {
    const worker = {
      image: { reference: "mayfly.dev/worker:0c" },
      ledger: { host: "10.244.0.1", database: "mayfly", user: "mayfly" },
      egress: [
        {
          name: "api",
          peers: [{ kind: "cidr", cidr: "10.244.0.1/32" }],
          ports: [{ protocol: "TCP", port: 6443 }],
        },
      ],
    };
    expect(refusal({ worker }, "lab").message).toContain("mayfly:worker.state: is missing");
    expect(refusal({ worker: { ...worker, state: "file:///state" } }, "lab").message).toContain(
      "mayfly:worker.state: must be an S3 URL",
    );
  });
});

describe("a config of another version", () => {
  test("is answered with the steps that bring it up to date", () => {
    const error = refusal({ version: undefined });
    expect(error.code).toBe("config-outdated");
    expect(error.message).toContain("The config is of version 1; this Mayfly reads version 2");
    expect(error.message).toContain("instanceTypes: [m7g.large]");
  });

  test("that is not known yet is refused", () => {
    expect(refusal({ version: 3 }).message).toContain("mayfly:version is 3; this Mayfly reads version 2");
  });
});
