/** Zones per region as in https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-availability-zones.html */
const REGIONS: Readonly<Record<string, { readonly short: string; readonly zones: string }>> = {
  "us-east-1": { short: "use1", zones: "abcdef" },
  "us-east-2": { short: "use2", zones: "abc" },
  "us-west-1": { short: "usw1", zones: "ab" },
  "us-west-2": { short: "usw2", zones: "abcd" },
  "ca-central-1": { short: "cac1", zones: "abd" },
  "eu-central-1": { short: "euc1", zones: "abc" },
  "eu-central-2": { short: "euc2", zones: "abc" },
  "eu-north-1": { short: "eun1", zones: "abc" },
  "eu-south-1": { short: "eus1", zones: "abc" },
  "eu-west-1": { short: "euw1", zones: "abc" },
  "eu-west-2": { short: "euw2", zones: "abc" },
  "eu-west-3": { short: "euw3", zones: "abc" },
  "ap-northeast-1": { short: "apne1", zones: "acd" },
  "ap-northeast-2": { short: "apne2", zones: "abcd" },
  "ap-south-1": { short: "aps1", zones: "abc" },
  "ap-southeast-1": { short: "apse1", zones: "abc" },
  "ap-southeast-2": { short: "apse2", zones: "abc" },
  "sa-east-1": { short: "sae1", zones: "abc" },
};

/** Names of a region's zones, such as `eu-central-1a`; a, b and c where the region is not in the table. */
export const zonesOf = (region: string): readonly string[] =>
  Array.from(REGIONS[region]?.zones ?? "abc", (letter) => `${region}${letter}`);

/** `euc1-az1` for `eu-central-1a`. Which letter is which physical zone differs by account in AWS; here a is 1. */
export function zoneId(zone: string): string {
  const region = zone.slice(0, -1);
  const { short, zones } = REGIONS[region] ?? { short: region.replaceAll("-", ""), zones: "abc" };
  return `${short}-az${zones.indexOf(zone.slice(-1)) + 1}`;
}

/** https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html */
export function partitionOf(region: string): { readonly partition: string; readonly dnsSuffix: string } {
  if (region.startsWith("cn-")) return { partition: "aws-cn", dnsSuffix: "amazonaws.com.cn" };
  if (region.startsWith("us-gov-")) return { partition: "aws-us-gov", dnsSuffix: "amazonaws.com" };
  return { partition: "aws", dnsSuffix: "amazonaws.com" };
}
