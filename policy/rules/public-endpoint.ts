import { isProduction } from "../resource.ts";
import type { ResourceRule } from "../rule.ts";
import { isUnknown, read } from "../values.ts";

/** EKS opens the endpoint to the internet where nothing is said. */
export const publicEndpoint: ResourceRule = {
  scope: "resource",
  name: "no-public-endpoint",
  description:
    "Keep the API server of a production cluster off the internet: endpointPublicAccess false, endpointPrivateAccess true.",
  url: "https://docs.aws.amazon.com/eks/latest/userguide/cluster-endpoint.html",
  judges: ({ type }) => type === "aws:eks/cluster:Cluster",
  check: (cluster) => {
    if (!isProduction(cluster)) return [];
    const wanted = { endpointPublicAccess: false, endpointPrivateAccess: true } as const;
    return Object.entries(wanted).flatMap(([field, value]) => {
      const found = read(cluster.props, "vpcConfig", field);
      return isUnknown(found) || found === value
        ? []
        : [{ path: `vpcConfig.${field}`, message: `is ${shown(found)}, not ${value}` }];
    });
  },
};

const shown = (value: unknown): string =>
  typeof value === "boolean" ? String(value) : "left to EKS's own default";
