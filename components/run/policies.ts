import type { types } from "@pulumi/kubernetes";
import type { Egress, NetworkPeer } from "../../schema/contract.ts";

type PolicySpec = types.input.networking.v1.NetworkPolicySpec;
type Peer = types.input.networking.v1.NetworkPolicyPeer;

/** Every pod of the namespace. */
const everyPod = { podSelector: {} };

/**
 * The network policies of a run's namespace, by name: nothing in or out, but pods among themselves on the engine's ports, and
 * out to what the environment allows. Policies add up, so each stands for itself in a review.
 *
 * Peers are matched after service translation: a rule for a Service names its endpoints
 * (https://kubernetes.io/docs/concepts/services-networking/network-policies/).
 */
export function policySpecs(
  ports: readonly number[],
  egress: readonly Egress[],
): Readonly<Record<"deny-all" | "within-run" | "egress", PolicySpec>> {
  const enginePorts = [...new Set(ports)].sort((a, b) => a - b).map((port) => ({ protocol: "TCP", port }));
  return {
    "deny-all": { ...everyPod, policyTypes: ["Ingress", "Egress"] },
    // A rule without ports would allow every port.
    "within-run": {
      ...everyPod,
      policyTypes: ["Ingress", "Egress"],
      ingress: enginePorts.length === 0 ? [] : [{ from: [everyPod], ports: enginePorts }],
      egress: enginePorts.length === 0 ? [] : [{ to: [everyPod], ports: enginePorts }],
    },
    egress: {
      ...everyPod,
      policyTypes: ["Egress"],
      egress: egress.map(({ peers, ports }) => ({ to: peers.map(policyPeer), ports: [...ports] })),
    },
  };
}

function policyPeer(peer: NetworkPeer): Peer {
  switch (peer.kind) {
    case "cidr":
      return {
        ipBlock: { cidr: peer.cidr, ...(peer.except.length === 0 ? {} : { except: [...peer.except] }) },
      };
    case "pods":
      return {
        namespaceSelector: { matchLabels: peer.namespaceLabels },
        podSelector: { matchLabels: peer.podLabels },
      };
  }
}
