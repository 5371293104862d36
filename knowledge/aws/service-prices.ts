import { isRegion } from "./regions.ts";

/** List prices of what an environment has besides nodes, in USD. A price that is not known is undefined, never guessed. */
export interface ServicePrices {
  readonly currency: "USD";
  /** The oldest of the dates on which these were read. */
  readonly asOf: string;
  /** One EKS control plane for an hour: in standard support, and on a version in extended support (the whole price, no surcharge). */
  readonly eksHour: { readonly standard: number; readonly extended: number };
  /** One customer-managed KMS key for a month; each of the first two yearly rotations adds as much again. */
  readonly kmsKeyMonth: number;
  /** One public IPv4 address for an hour, in use or not: a NAT gateway has one. */
  readonly publicIpv4Hour: number;
  /** One NAT gateway for an hour, without the charge per GB. */
  readonly natGatewayHour: number | undefined;
  /** One interface endpoint in one zone for an hour, without the charge per GB. */
  readonly interfaceEndpointHour: number | undefined;
  /** One GB-month of gp3 with the 3,000 IOPS and 125 MB/s that come with it. */
  readonly gp3GbMonth: number | undefined;
}

/**
 * The same in every region. EKS: AWS Containers blog, "Amazon EKS extended support for Kubernetes versions pricing", and
 * https://aws.amazon.com/eks/pricing/ as quoted on 2026-10-06; bills of eu-west-2 and eu-south-2 show the same 0.10. KMS:
 * https://aws.amazon.com/kms/pricing/.
 */
const EVERYWHERE = {
  eksHour: { standard: 0.1, extended: 0.6 },
  kmsKeyMonth: 1,
  // All regions since 2024-02-01: https://aws.amazon.com/blogs/aws/new-aws-public-ipv4-address-charge-public-ip-insights/
  publicIpv4Hour: 0.005,
} as const;

interface Regional {
  readonly asOf: string;
  readonly natGatewayHour: number;
  readonly interfaceEndpointHour: number;
  readonly gp3GbMonth: number;
}

/**
 * Read where others published what the AWS Price List told them (no account here to ask it); docs/instances.md lists each source. Prices
 * of these three have not moved for years.
 */
const BY_REGION: Readonly<Record<string, Regional>> = {
  "us-east-1": { asOf: "2025-10-01", natGatewayHour: 0.045, interfaceEndpointHour: 0.01, gp3GbMonth: 0.08 },
  "us-west-2": { asOf: "2026-10-01", natGatewayHour: 0.045, interfaceEndpointHour: 0.01, gp3GbMonth: 0.08 },
  "eu-west-1": { asOf: "2026-05-01", natGatewayHour: 0.048, interfaceEndpointHour: 0.011, gp3GbMonth: 0.088 },
  "eu-central-1": {
    asOf: "2026-09-01",
    natGatewayHour: 0.052,
    interfaceEndpointHour: 0.012,
    gp3GbMonth: 0.0952,
  },
};

/** The day the prices that hold everywhere were last seen. */
const EVERYWHERE_AS_OF = "2026-10-06";

/** List prices in a region; undefined for what is no region. Estimates only. */
export function servicePrices(region: string): ServicePrices | undefined {
  if (!isRegion(region)) return undefined;
  const regional = BY_REGION[region];
  return {
    currency: "USD",
    asOf: regional?.asOf ?? EVERYWHERE_AS_OF,
    ...EVERYWHERE,
    natGatewayHour: regional?.natGatewayHour,
    interfaceEndpointHour: regional?.interfaceEndpointHour,
    gp3GbMonth: regional?.gp3GbMonth,
  };
}
