// Evaluates our own NetworkPolicies without a network plugin, by the rules of
// https://kubernetes.io/docs/concepts/services-networking/network-policies/ as far as our policies use them.
import { BlockList } from "node:net";
import { z } from "zod";

const LabelMap = z.record(z.string(), z.string());
const Selector = z.strictObject({
  matchLabels: LabelMap.default({}),
  matchExpressions: z
    .array(z.strictObject({ key: z.string(), operator: z.literal("In"), values: z.array(z.string()) }))
    .optional(),
});
const Peer = z.union([
  z.strictObject({
    ipBlock: z.strictObject({ cidr: z.string(), except: z.array(z.string()).default([]) }),
  }),
  z.strictObject({ namespaceSelector: Selector.optional(), podSelector: Selector.optional() }),
]);
const Ports = z.array(z.strictObject({ protocol: z.enum(["TCP", "UDP"]), port: z.number() }));

const Spec = z.strictObject({
  podSelector: Selector,
  policyTypes: z.array(z.enum(["Ingress", "Egress"])),
  ingress: z.array(z.strictObject({ from: z.array(Peer), ports: Ports })).default([]),
  egress: z.array(z.strictObject({ to: z.array(Peer), ports: Ports })).default([]),
});

/** A policy in its namespace. */
export const Policy = z.looseObject({ metadata: z.looseObject({ namespace: z.string() }), spec: Spec });
export type Policy = z.infer<typeof Policy>;

/** One end of a connection: a pod, or an address outside the cluster (or of a node). */
export interface End {
  readonly address: string;
  readonly pod?: { readonly namespace: string; readonly labels: Readonly<Record<string, string>> };
  /** Labels of the pod's namespace. */
  readonly namespaceLabels?: Readonly<Record<string, string>>;
}

/** A connection attempt, as a policy sees it: after service translation. */
export interface Flow {
  readonly from: End;
  readonly to: End;
  readonly protocol: "TCP" | "UDP";
  readonly port: number;
}

const selects = (selector: z.infer<typeof Selector>, labels: Readonly<Record<string, string>>): boolean =>
  Object.entries(selector.matchLabels).every(([key, value]) => labels[key] === value) &&
  (selector.matchExpressions ?? []).every(({ key, values }) => values.includes(labels[key] ?? ""));

function inside(address: string, cidr: string): boolean {
  const [network = "", prefix = "32"] = cidr.split("/");
  const list = new BlockList();
  list.addSubnet(network, Number(prefix));
  return list.check(address);
}

function matches(peer: z.infer<typeof Peer>, end: End, policyNamespace: string): boolean {
  if ("ipBlock" in peer) {
    const { cidr, except } = peer.ipBlock;
    return inside(end.address, cidr) && !except.some((hole) => inside(end.address, hole));
  }
  if (end.pod === undefined) return false;
  const sameNamespace =
    peer.namespaceSelector === undefined
      ? end.pod.namespace === policyNamespace
      : selects(peer.namespaceSelector, end.namespaceLabels ?? {});
  return sameNamespace && selects(peer.podSelector ?? { matchLabels: {} }, end.pod.labels);
}

/** Whether one end's policies let a flow pass: no policy for the direction means yes, else one rule has to allow it. */
function sideAllows(policies: readonly Policy[], flow: Flow, direction: "Ingress" | "Egress"): boolean {
  const [self, other] = direction === "Ingress" ? [flow.to, flow.from] : [flow.from, flow.to];
  const { pod } = self;
  if (pod === undefined) return true;
  const applying = policies.filter(
    ({ metadata, spec }) =>
      metadata.namespace === pod.namespace &&
      spec.policyTypes.includes(direction) &&
      selects(spec.podSelector, pod.labels),
  );
  if (applying.length === 0) return true;
  return applying.some(({ metadata, spec }) => {
    const rules =
      direction === "Ingress"
        ? spec.ingress.map(({ from, ports }) => ({ peers: from, ports }))
        : spec.egress.map(({ to, ports }) => ({ peers: to, ports }));
    return rules.some(
      ({ peers, ports }) =>
        (ports.length === 0 ||
          ports.some(({ protocol, port }) => protocol === flow.protocol && port === flow.port)) &&
        (peers.length === 0 || peers.some((peer) => matches(peer, other, metadata.namespace))),
    );
  });
}

/** Whether a flow gets through: the sender's policies and the receiver's both have to allow it. */
export const passes = (policies: readonly Policy[], flow: Flow): boolean =>
  sideAllows(policies, flow, "Egress") && sideAllows(policies, flow, "Ingress");
