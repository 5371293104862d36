import type { Labels } from "../core/labels.ts";
import { type Placement, placed } from "./placement.ts";

/** What Calico's pod on each node asks for, in millicores and MiB: less for runs on every node. */
export const CALICO_NODE = { cpu: 100, memory: 256 } as const;

interface Resources {
  readonly requests: Readonly<Record<string, string>>;
  readonly limits: Readonly<Record<string, string>>;
}

/** Memory is asked for and limited alike; CPU may be more, since a throttled Felix holds new pods back (calico#8048). */
const resources = (cpu: number, memory: number): Resources => ({
  requests: { cpu: `${cpu}m`, memory: `${memory}Mi` },
  limits: { cpu: "1", memory: `${memory}Mi` },
});

/** A workload of the operator's with resources for one container. */
const workload = (container: string, given: Resources, pod: object = {}) => ({
  spec: { template: { spec: { ...pod, containers: [{ name: container, resources: given }] } } },
});

/**
 * Values of chart tigera-operator: policies by Calico, networking by the VPC CNI. `installation` is the operator's own API:
 * https://docs.tigera.io/calico/latest/reference/installation/api
 */
export function calicoValues(placement: Placement, labels: Labels) {
  const { nodeSelector, tolerations } = placed(placement);
  return {
    additionalLabels: labels,
    installation: {
      enabled: true,
      kubernetesProvider: "EKS",
      cni: { type: "AmazonVPC" },
      calicoNetwork: { bgp: "Disabled" },
      controlPlaneNodeSelector: nodeSelector,
      controlPlaneTolerations: tolerations,
      controlPlaneReplicas: 2,
      // Typha has a host port and grows with the cluster: on pools it would hold nodes that are to go (calico#4850).
      typhaDeployment: workload("calico-typha", resources(100, 128), { nodeSelector, tolerations }),
      calicoNodeDaemonSet: workload("calico-node", resources(CALICO_NODE.cpu, CALICO_NODE.memory)),
      calicoKubeControllersDeployment: workload("calico-kube-controllers", resources(50, 128)),
    },
    // Aggregated: when its pods are away, no namespace can be deleted, and a run ends with deleting its namespace.
    apiServer: { enabled: false },
    goldmane: { enabled: false },
    whisker: { enabled: false },
    // The other chart's.
    manageCRDs: false,
    // Leaves out a privileged pod on each node that only Calico's application-layer policies need.
    kubeletVolumePluginPath: "None",
    nodeSelector,
    tolerations: [{ operator: "Exists" }],
    resources: { requests: { cpu: "100m", memory: "128Mi" }, limits: { cpu: "500m", memory: "128Mi" } },
  };
}
