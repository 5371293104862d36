import { planSubnets } from "../../components/network/subnets.ts";
import type { Egress } from "../../schema/contract.ts";
import { type EksCluster, type EnvironmentConfig, isEks } from "../../schema/environment/index.ts";

/** CoreDNS, which EKS runs in kube-system. */
const DNS: Egress = {
  name: "dns",
  peers: [
    {
      kind: "pods",
      namespaceLabels: { "kubernetes.io/metadata.name": "kube-system" },
      podLabels: { "k8s-app": "kube-dns" },
    },
  ],
  ports: [
    { protocol: "UDP", port: 53 },
    { protocol: "TCP", port: 53 },
  ],
};

/** Ranges that are not the internet: RFC 1918, RFC 6598 (pods), and link-local with the instance metadata service. */
const PRIVATE = ["10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"];

/**
 * HTTPS outside: S3 through its gateway endpoint has public addresses, which change
 * (https://docs.aws.amazon.com/vpc/latest/privatelink/gateway-endpoints.html), so the rule names what is not meant.
 */
const HTTPS: Egress = {
  name: "https",
  peers: [{ kind: "cidr", cidr: "0.0.0.0/0", except: PRIVATE }],
  ports: [{ protocol: "TCP", port: 443 }],
};

/**
 * The interface endpoints, above all that of STS. They stand in the public subnets, apart from nodes and from the control plane's
 * addresses, so that a rule for them opens neither.
 */
function endpoints({ network, zones }: EksCluster): Egress[] {
  const plan = planSubnets({ vpcCidr: network.vpcCidr, podCidr: network.podCidr, zones });
  if (!plan.ok) return [];
  return [
    {
      name: "aws-endpoints",
      peers: plan.zones.map((subnet) => ({ kind: "cidr", cidr: subnet.public, except: [] })),
      ports: [{ protocol: "TCP", port: 443 }],
    },
  ];
}

/** The control plane's network interfaces stand in the nodes' subnets, and policies act on them and not on the Service's address. */
export function eksApiServer({ network, zones }: EksCluster): Egress {
  const plan = planSubnets({ vpcCidr: network.vpcCidr, podCidr: network.podCidr, zones });
  if (!plan.ok) throw new Error(`the config's rules let ${plan.problem.message} through`);
  return {
    name: "api-server",
    peers: plan.zones.map(({ nodes }) => ({ kind: "cidr", cidr: nodes, except: [] })),
    ports: [{ protocol: "TCP", port: 443 }],
  };
}

/** The Kubernetes API as pods reach it; undefined where an environment on another's cluster does not say. */
export const apiServerOf = (config: EnvironmentConfig): Egress | undefined =>
  isEks(config) ? eksApiServer(config.cluster) : config.kubernetesApi;

/** What pods of runs may reach outside their namespace. */
export const egressOf = (config: EnvironmentConfig): Egress[] =>
  isEks(config) ? [DNS, HTTPS, ...endpoints(config.cluster), ...config.egress] : config.egress;
