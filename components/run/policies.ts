import type { types } from "@pulumi/kubernetes";
import type { Egress, NetworkPeer } from "../../schema/contract.ts";
import type { PlannedService } from "../../schema/plan.ts";
import { selects, selectsEngine } from "../core/labels.ts";

type PolicySpec = types.input.networking.v1.NetworkPolicySpec;
type Peer = types.input.networking.v1.NetworkPolicyPeer;

/** Every pod of the namespace. */
const everyPod = { podSelector: {} };

/** Those of the engine, where there are others. */
const enginePods = { podSelector: selectsEngine };

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
  services: readonly PlannedService[] = [],
): Readonly<Record<string, PolicySpec>> {
  // A service has no business with the engine's own ports.
  const within = services.length === 0 ? everyPod : enginePods;
  const enginePorts = [...new Set(ports)].sort((a, b) => a - b).map((port) => ({ protocol: "TCP", port }));
  return {
    "deny-all": { ...everyPod, policyTypes: ["Ingress", "Egress"] },
    // A rule without ports would allow every port.
    "within-run": {
      ...within,
      policyTypes: ["Ingress", "Egress"],
      ingress: enginePorts.length === 0 ? [] : [{ from: [within], ports: enginePorts }],
      egress: enginePorts.length === 0 ? [] : [{ to: [within], ports: enginePorts }],
    },
    egress: {
      ...everyPod,
      policyTypes: ["Egress"],
      egress: egress.map(({ peers, ports }) => ({ to: peers.map(policyPeer), ports: [...ports] })),
    },
    ...servicePolicies(services),
  };
}

/** The engine's pods may call each service on its port, and nobody else may. What services reach outside is `egress`, as for all. */
function servicePolicies(services: readonly PlannedService[]): Record<string, PolicySpec> {
  if (services.length === 0) return {};
  const called = services.map(({ name, port }) => ({
    pods: { podSelector: { matchLabels: selects(`service-${name}`) } },
    ports: [{ protocol: "TCP", port }],
    policy: `service-${name}`,
  }));
  return {
    "to-services": {
      ...enginePods,
      policyTypes: ["Egress"],
      egress: called.map(({ pods, ports }) => ({ to: [pods], ports })),
    },
    ...Object.fromEntries(
      called.map(({ policy, pods, ports }) => [
        policy,
        { ...pods, policyTypes: ["Ingress"], ingress: [{ from: [enginePods], ports }] },
      ]),
    ),
  };
}

/** A peer as a rule names it. */
export function policyPeer(peer: NetworkPeer): Peer {
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
