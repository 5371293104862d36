import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { gatewayOf, kindConfig, nodeStateOf } from "../../../lab/kind/config.ts";

describe("kind", () => {
  test("the node carries the lab's labels and leaves the network to Calico", () => {
    expect(parse(kindConfig())).toEqual({
      kind: "Cluster",
      apiVersion: "kind.x-k8s.io/v1alpha4",
      name: "mayfly-lab",
      networking: {
        disableDefaultCNI: true,
        podSubnet: "10.244.0.0/16",
        serviceSubnet: "10.96.0.0/16",
        apiServerAddress: "127.0.0.1",
      },
      nodes: [
        {
          role: "control-plane",
          labels: {
            "topology.kubernetes.io/zone": "lab-a",
            "topology.kubernetes.io/region": "lab",
            "node.kubernetes.io/instance-type": "lab",
          },
        },
      ],
    });
  });

  test("this host's address for pods is the network's IPv4 gateway", () => {
    expect(gatewayOf("fc00:f853:ccd:e793::1 172.18.0.1 ")).toBe("172.18.0.1");
    expect(gatewayOf("fc00::1")).toBeUndefined();
  });

  test.each([
    [1, "", "absent"],
    [0, "true\n", "running"],
    [0, "false\n", "stopped"],
  ] as const)("the engine's answer %s '%s' means %s", (code, printed, state) => {
    expect(nodeStateOf(code, printed)).toBe(state);
  });
});
