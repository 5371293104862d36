import { expect, test } from "vitest";
import { UserError } from "../../base/errors.ts";
import { refuseOtherCluster } from "../../stacks/environment/cluster-identity.ts";
import { record } from "../harness/record.ts";

const HERE = "5b3f0a52-8d5e-4c53-9d68-7f6b0f5d1c11";
const ELSEWHERE = "0c1e9c3a-2c55-4a1c-a6cb-2b1f3bb9e0aa";

/** The program on cluster HERE, whose stack says of its last update what `contract` says. */
const after = async (contract: unknown) =>
  await record(() => refuseOtherCluster({ clusterIdentifier: "prod" }), {
    project: "mayfly",
    stack: "prod",
    existing: {
      "kube-system": { metadata: { uid: HERE } },
      "organization/mayfly/prod": { outputs: { contract } },
    },
  });

test("the identity of the cluster is that of its namespace kube-system, read by a provider of its own", async () => {
  const graph = await after(undefined);
  expect(graph.outputs).toBe(HERE);
  expect(graph.resources.map(({ name, type }) => `${name} ${type}`)).toEqual([
    "kubernetes-identity pulumi:providers:kubernetes",
  ]);
  expect(graph.read).toEqual(
    expect.arrayContaining([
      { type: "pulumi:pulumi:StackReference", id: "organization/mayfly/prod" },
      { type: "kubernetes:core/v1:Namespace", id: "kube-system" },
    ]),
  );
});

test("a stack may go on on the cluster of its last update", async () => {
  expect((await after({ clusterId: HERE })).outputs).toBe(HERE);
});

test("another cluster than that of the last update is refused, with both identities and what to do", async () => {
  const failure: unknown = await after({ clusterId: ELSEWHERE }).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(UserError);
  expect(failure).toMatchObject({ code: "other-cluster" });
  expect(String(failure)).toContain(`stack prod. Then: ${ELSEWHERE}. Now: ${HERE}.`);
  expect(failure).toHaveProperty("hint", expect.stringMatching(/stack init <name>.*stack rm prod --force/));
});
