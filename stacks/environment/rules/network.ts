import { Address4 } from "ip-address";
import { suggest } from "../../../base/nearest.ts";
import { planSubnets } from "../../../components/network/subnets.ts";
import { isRegion, suggestRegions, zonesOf } from "../../../knowledge/aws/index.ts";
import type { EksCluster } from "../../../schema/environment/index.ts";
import type { Problem } from "./problem.ts";

/** Region, zones, and address ranges of a cluster that is to be made. */
export function networkProblems(cluster: EksCluster): Problem[] {
  const zones = zoneProblems(cluster);
  const ranges = rangeProblems(cluster);
  // Subnets are cut by zones and ranges that make sense by themselves.
  return zones.length + ranges.length > 0 ? [...zones, ...ranges] : subnetProblems(cluster);
}

function zoneProblems({ region, zones }: EksCluster): Problem[] {
  if (!isRegion(region)) {
    return [{ path: "cluster.region", message: `there is no region "${region}". ${suggestRegions(region)}` }];
  }
  // Of a few young regions Mayfly does not know the zones: AWS itself then refuses a wrong one.
  const known = zonesOf(region);
  return zones.flatMap((zone, index) => {
    const path = `cluster.zones[${index}]`;
    if (known !== undefined && !known.includes(zone)) {
      return [{ path, message: `region ${region} has no zone "${zone}". ${suggest(zone, known)}` }];
    }
    return zones.indexOf(zone) < index ? [{ path, message: `zone ${zone} is there already` }] : [];
  });
}

/** Ranges that nodes use themselves: https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html */
const RESERVED = [
  { cidr: "172.17.0.0/16", use: "the container runtime's bridge on the nodes" },
  { cidr: "169.254.0.0/16", use: "link-local addresses, such as the instance metadata service" },
] as const;

function rangeProblems({ network }: EksCluster): Problem[] {
  const { vpcCidr, podCidr } = network;
  const problems: Problem[] = [];
  if (overlap(vpcCidr, podCidr)) {
    problems.push({
      path: "cluster.network.podCidr",
      message: `${podCidr} overlaps cluster.network.vpcCidr ${vpcCidr}; pods need a range of their own`,
    });
  }
  for (const [key, cidr] of Object.entries({ vpcCidr, podCidr })) {
    for (const reserved of RESERVED) {
      if (!overlap(cidr, reserved.cidr)) continue;
      problems.push({
        path: `cluster.network.${key}`,
        message: `${cidr} overlaps ${reserved.cidr}, which is ${reserved.use}`,
      });
    }
  }
  return problems;
}

function subnetProblems({ network, zones }: EksCluster): Problem[] {
  const plan = planSubnets({ ...network, zones });
  if (plan.ok) return [];
  const { input, message, hint } = plan.problem;
  const path = input === "zones" ? "cluster.zones" : `cluster.network.${input}`;
  return [{ path, message: `${message}; ${hint}` }];
}

function overlap(left: string, right: string): boolean {
  const [a, b] = [new Address4(left), new Address4(right)];
  return a.isInSubnet(b) || b.isInSubnet(a);
}
