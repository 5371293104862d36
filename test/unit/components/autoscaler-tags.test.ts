import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { autoscalerTags, type GroupFacts, nodeGroupTags } from "../../../components/nodes/autoscaler-tags.ts";
import { RUNS_TAINT, SPOT_TAINT, STARTUP_TAINT } from "../../../components/nodes/taints.ts";

const TEMPLATE = "k8s.io/cluster-autoscaler/node-template";
const general: GroupFacts = {
  labels: { "mayfly.dev/pool": "general-spot" },
  taints: [RUNS_TAINT, SPOT_TAINT, STARTUP_TAINT],
  allocatable: { cpu: 15_690, memory: 59_000, scratch: 88_000, pods: 110 },
  lifetime: { idle: 60, unready: 300 },
  defaultLifetime: { idle: 60, unready: 300 },
};

describe("tags of a group without nodes", () => {
  test("say label, lasting taints and disk, and nothing that the autoscaler knows or that passes", () => {
    expect(autoscalerTags(general)).toEqual([
      { key: `${TEMPLATE}/label/mayfly.dev/pool`, value: "general-spot" },
      { key: `${TEMPLATE}/taint/mayfly.dev/runs`, value: "true:NoSchedule" },
      { key: `${TEMPLATE}/taint/mayfly.dev/capacity`, value: "spot:NoSchedule" },
      { key: `${TEMPLATE}/resources/ephemeral-storage`, value: "88000Mi" },
    ]);
  });

  test("say how long nodes are kept only where the autoscaler's flags say otherwise", () => {
    const tags = autoscalerTags({ ...general, lifetime: { idle: 900, unready: 300 } });
    expect(tags.slice(4)).toEqual([
      { key: `${TEMPLATE}/autoscaling-options/scaledownunneededtime`, value: "900s" },
    ]);
    expect(autoscalerTags({ ...general, lifetime: { idle: 90, unready: 600 } }).slice(4)).toEqual([
      { key: `${TEMPLATE}/autoscaling-options/scaledownunneededtime`, value: "90s" },
      { key: `${TEMPLATE}/autoscaling-options/scaledownunreadytime`, value: "600s" },
    ]);
  });

  test("are at most five for a pool with the platform's own labels and taints that changes one lifetime", () => {
    expect(autoscalerTags({ ...general, lifetime: { idle: 900, unready: 300 } })).toHaveLength(5);
  });

  // As the autoscaler reads them: extractTaintsFromAsg of cluster-autoscaler/cloudprovider/aws/aws_manager.go.
  test("give back each taint as the autoscaler reads it", () => {
    const taint = fc.record({
      key: fc.constantFrom("acme.example/team", "nvidia.com/gpu"),
      value: fc.stringMatching(/^[a-z0-9.-]{0,20}$/),
      effect: fc.constantFrom("NoSchedule", "PreferNoSchedule", "NoExecute"),
    });
    fc.assert(
      fc.property(taint, (one) => {
        const [tag] = autoscalerTags({ ...general, labels: {}, taints: [one] });
        expect(tag?.value).toMatch(/(.*):(?:NoSchedule|NoExecute|PreferNoSchedule)/);
        const [value, effect] = (tag?.value ?? "").split(":", 2);
        const key = tag?.key.split(`${TEMPLATE}/taint/`)[1];
        expect({ key, value, effect }).toEqual(one);
      }),
    );
  });
});

test("tags of the node group itself say what a node offers, in units that Kubernetes reads", () => {
  expect(nodeGroupTags(general.allocatable)).toEqual({
    [`${TEMPLATE}/resources/cpu`]: "15690m",
    [`${TEMPLATE}/resources/memory`]: "59000Mi",
    [`${TEMPLATE}/resources/ephemeral-storage`]: "88000Mi",
    [`${TEMPLATE}/resources/pods`]: "110",
  });
});
