import { stringify } from "yaml";
import { LAB, NODE_LABELS } from "../settings.ts";

/** Released together with the node image that it makes nodes from, so that this one version pins both. */
export const KIND_VERSION = "v0.33.0";

export const CLUSTER = LAB.nodeName;

/** kind's name for the one node's container. */
export const NODE_CONTAINER = `${CLUSTER}-control-plane`;

/** Calico by its own manifest, the way its documentation installs it on kind. */
export const CALICO_MANIFEST =
  "https://raw.githubusercontent.com/projectcalico/calico/v3.30.3/manifests/calico.yaml";

/** One node without kind's own network plugin, which enforces no policies as Calico does, and with the lab's labels. */
export function kindConfig(): string {
  // The kubelet sets the host name itself, to that of the container.
  const labels = Object.fromEntries(
    Object.entries(NODE_LABELS).filter(([name]) => name !== "kubernetes.io/hostname"),
  );
  return stringify({
    kind: "Cluster",
    apiVersion: "kind.x-k8s.io/v1alpha4",
    name: CLUSTER,
    networking: {
      disableDefaultCNI: true,
      podSubnet: LAB.podCidr,
      serviceSubnet: LAB.serviceCidr,
      apiServerAddress: "127.0.0.1",
    },
    nodes: [{ role: "control-plane", labels }],
  });
}

/** The first IPv4 gateway of the engine's network `kind`: this host, as the node's pods see it. */
export const gatewayOf = (inspected: string): string | undefined =>
  inspected.split(/\s+/).find((word) => /^\d+\.\d+\.\d+\.\d+$/.test(word));

/** How each engine prints the gateways of a network. */
export const gatewayFormat = (engine: "docker" | "podman"): string =>
  engine === "docker"
    ? "{{range .IPAM.Config}}{{.Gateway}} {{end}}"
    : "{{range .Subnets}}{{.Gateway}} {{end}}";

/** What kind's node container does. */
export type NodeState = "absent" | "stopped" | "running";

/** From `docker inspect --format {{.State.Running}}`; it fails where there is no such container. */
export const nodeStateOf = (code: number | null, printed: string): NodeState =>
  code !== 0 ? "absent" : printed.trim() === "true" ? "running" : "stopped";
