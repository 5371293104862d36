import { expect, test } from "vitest";
import { ExistingPool } from "../../../components/nodes/existing-pool.ts";
import { graphProblems } from "../../harness/invariants.ts";
import { graphOf, registrations } from "./example.ts";

const graph = await graphOf((providers) => {
  new ExistingPool("pool-m7g", {
    pool: "m7g",
    nodes: ["worker-1", "worker-2"],
    provider: providers.kubernetes,
  });
});

test("a pool of existing nodes changes one label of each and makes nothing", () => {
  expect(graphProblems(graph)).toEqual([]);
  expect(registrations(graph)).toEqual([
    "pool-m7g  mayfly:nodes:ExistingPool",
    "pool-m7g-worker-1  kubernetes:core/v1:NodePatch  by kubernetes  in pool-m7g",
    "pool-m7g-worker-2  kubernetes:core/v1:NodePatch  by kubernetes  in pool-m7g",
  ]);
  expect(graph.get("pool-m7g-worker-1").inputs["metadata"]).toEqual({
    name: "worker-1",
    labels: { "mayfly.dev/pool": "m7g" },
  });
});

test("each node is looked up first: applying a label to a node that isn't there would make it", () => {
  expect(graph.read).toEqual([
    { type: "kubernetes:core/v1:Node", id: "worker-1" },
    { type: "kubernetes:core/v1:Node", id: "worker-2" },
  ]);
  expect(graph.get("pool-m7g-worker-1").dependencies).toEqual(["pool-m7g-existing-worker-1"]);
});
