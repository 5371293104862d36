/**
 * Networking of the instance families, as rows that many families share. Source: EC2's own answer to DescribeInstanceTypes, as
 * moto 5.2.5 ships it (PyPI, October 2026); counted and cross-checked as docs/instances.md tells.
 *
 * Where an instance has several network cards, the numbers are those of the default card: the VPC CNI plugin uses no other
 * (https://github.com/aws/amazon-vpc-cni-k8s, scripts/gen_vpc_ip_limits.go).
 */

/** Per size: baseline/burst in Gbit/s. The rows also say which sizes a family has. */
export const NETWORK = {
  amd6:
    "large 0.781/12.5, xlarge 1.562/12.5, 2xlarge 3.125/12.5, 4xlarge 6.25/12.5, 8xlarge 12.5/12.5, " +
    "12xlarge 18.75/18.75, 16xlarge 25/25, 24xlarge 37.5/37.5, 32xlarge 50/50, 48xlarge 50/50",
  amd7:
    "medium 0.39/12.5, large 0.781/12.5, xlarge 1.562/12.5, 2xlarge 3.125/12.5, 4xlarge 6.25/12.5, " +
    "8xlarge 12.5/12.5, 12xlarge 18.75/18.75, 16xlarge 25/25, 24xlarge 37.5/37.5, 32xlarge 50/50, " +
    "48xlarge 50/50",
  amd8:
    "medium 0.52/12.5, large 0.937/12.5, xlarge 1.875/12.5, 2xlarge 3.75/15, 4xlarge 7.5/15, " +
    "8xlarge 15/15, 12xlarge 22.5/22.5, 16xlarge 30/30, 24xlarge 40/40, 48xlarge 75/75",
  graviton6:
    "medium 0.5/10, large 0.75/10, xlarge 1.25/10, 2xlarge 2.5/10, 4xlarge 5/10, 8xlarge 12/12, " +
    "12xlarge 20/20, 16xlarge 25/25",
  graviton6n:
    "medium 1.6/16, large 3/25, xlarge 6.3/25, 2xlarge 12.5/25, 4xlarge 25/25, 8xlarge 50/50, " +
    "12xlarge 75/75, 16xlarge 100/100",
  graviton7:
    "medium 0.52/12.5, large 0.937/12.5, xlarge 1.876/12.5, 2xlarge 3.75/15, 4xlarge 7.5/15, " +
    "8xlarge 15/15, 12xlarge 22.5/22.5, 16xlarge 30/30",
  graviton7n:
    "medium 3.125/25, large 6.25/30, xlarge 12.5/40, 2xlarge 25/50, 4xlarge 50/50, 8xlarge 100/100, " +
    "12xlarge 150/150, 16xlarge 200/200",
  graviton8:
    "medium 0.52/12.5, large 0.937/12.5, xlarge 1.875/12.5, 2xlarge 3.75/15, 4xlarge 7.5/15, " +
    "8xlarge 15/15, 12xlarge 22.5/22.5, 16xlarge 30/30, 24xlarge 40/40, 48xlarge 50/50",
  graviton8b:
    "medium 2.083/16.666, large 4.166/20, xlarge 8.333/26.666, 2xlarge 16.666/33.333, " +
    "4xlarge 33.333/33.333, 8xlarge 66.666/66.666, 12xlarge 100/100, 16xlarge 133.333/133.333, " +
    "24xlarge 200/200, 48xlarge 200/200",
  graviton8n:
    "medium 3.125/25, large 6.25/30, xlarge 12.5/40, 2xlarge 25/50, 4xlarge 50/50, 8xlarge 100/100, " +
    "12xlarge 150/150, 16xlarge 200/200, 24xlarge 300/300, 48xlarge 300/300",
  intel6:
    "large 0.781/12.5, xlarge 1.562/12.5, 2xlarge 3.125/12.5, 4xlarge 6.25/12.5, 8xlarge 12.5/12.5, " +
    "12xlarge 18.75/18.75, 16xlarge 25/25, 24xlarge 37.5/37.5, 32xlarge 50/50",
  intel6n:
    "large 3.125/25, xlarge 6.25/30, 2xlarge 12.5/40, 4xlarge 25/50, 8xlarge 50/50, 12xlarge 75/75, " +
    "16xlarge 100/100, 24xlarge 150/150, 32xlarge 200/200",
  intel7:
    "large 0.781/12.5, xlarge 1.562/12.5, 2xlarge 3.125/12.5, 4xlarge 6.25/12.5, 8xlarge 12.5/12.5, " +
    "12xlarge 18.75/18.75, 16xlarge 25/25, 24xlarge 37.5/37.5, 48xlarge 50/50",
  intel7flex:
    "large 0.39/12.5, xlarge 0.781/12.5, 2xlarge 1.562/12.5, 4xlarge 3.125/12.5, 8xlarge 6.25/12.5, " +
    "12xlarge 9.375/18.75, 16xlarge 12.5/25",
  intel8:
    "large 0.937/12.5, xlarge 1.875/12.5, 2xlarge 3.75/15, 4xlarge 7.5/15, 8xlarge 15/15, " +
    "12xlarge 22.5/22.5, 16xlarge 30/30, 24xlarge 40/40, 32xlarge 50/50, 48xlarge 75/75, 96xlarge 100/100",
  intel8b:
    "large 2.083/16.667, xlarge 4.166/20, 2xlarge 8.333/26.667, 4xlarge 16.666/33.333, " +
    "8xlarge 33.333/33.333, 12xlarge 50/50, 16xlarge 66.666/66.666, 24xlarge 100/100, " +
    "32xlarge 133.333/133.333, 48xlarge 200/200, 96xlarge 200/200",
  intel8flex:
    "large 0.468/12.5, xlarge 0.937/12.5, 2xlarge 1.875/15, 4xlarge 3.75/15, 8xlarge 7.5/15, " +
    "12xlarge 11.25/22.5, 16xlarge 15/30",
  intel8n:
    "large 3.125/25, xlarge 6.25/30, 2xlarge 12.5/40, 4xlarge 25/50, 8xlarge 50/50, 12xlarge 75/75, " +
    "16xlarge 100/100, 24xlarge 150/150, 32xlarge 200/200, 48xlarge 300/300, 96xlarge 300/300",
  intel8ne:
    "large 3.125/3.125, xlarge 6.25/6.25, 2xlarge 12.5/12.5, 4xlarge 25/25, 8xlarge 50/50, 12xlarge 75/75",
  r8gb:
    "medium 2.083/16.667, large 4.166/20, xlarge 8.333/26.667, 2xlarge 16.666/33.333, " +
    "4xlarge 33.333/33.333, 8xlarge 66.666/66.666, 12xlarge 100/100, 16xlarge 133.333/133.333, " +
    "24xlarge 200/200, 48xlarge 200/200",
  i4g:
    "large 0.781/10, xlarge 1.875/10, 2xlarge 4.687/12, 4xlarge 9.375/25, 8xlarge 18.75/18.75, " +
    "16xlarge 37.5/37.5",
  i4i:
    "large 0.781/10, xlarge 1.875/10, 2xlarge 4.687/12, 4xlarge 9.375/25, 8xlarge 18.75/18.75, " +
    "12xlarge 28.125/28.125, 16xlarge 37.5/37.5, 24xlarge 56.25/56.25, 32xlarge 75/75",
  i7i:
    "large 1.171/10, xlarge 2.343/10, 2xlarge 4.687/12, 4xlarge 9.375/25, 8xlarge 25/25, " +
    "12xlarge 28.125/28.125, 16xlarge 37.5/37.5, 24xlarge 56.25/56.25, 48xlarge 100/100",
  i7ie:
    "large 2.083/25, xlarge 4.166/25, 2xlarge 8.333/25, 3xlarge 12.5/25, 6xlarge 12.5/25, 12xlarge 25/50, " +
    "18xlarge 37.5/75, 24xlarge 50/100, 48xlarge 100/100",
  i8g:
    "large 1.172/10, xlarge 2.344/10, 2xlarge 4.688/12, 4xlarge 9.375/25, 8xlarge 25/25, " +
    "12xlarge 28.125/28.125, 16xlarge 37.5/37.5, 24xlarge 56.25/56.25, 48xlarge 100/100",
  i8ge:
    "large 2.1/25, xlarge 4.2/25, 2xlarge 8.4/25, 3xlarge 12.5/25, 6xlarge 37.5/37.5, 12xlarge 75/75, " +
    "18xlarge 112.5/112.5, 24xlarge 150/150, 48xlarge 300/300",
  m8azn:
    "medium 2.08/25, large 4.17/30, xlarge 8.33/40, 3xlarge 25/50, 6xlarge 50/50, 12xlarge 100/100, " +
    "24xlarge 200/200",
  r7iz:
    "large 0.781/12.5, xlarge 1.562/12.5, 2xlarge 3.125/12.5, 4xlarge 6.25/12.5, 8xlarge 12.5/12.5, " +
    "12xlarge 25/25, 16xlarge 25/25, 32xlarge 50/50",
} as const satisfies Readonly<Record<string, string>>;

/** Per size: network interfaces × IPv4 addresses on each. A row may know more sizes than a family has. */
export const INTERFACES = {
  classic:
    "medium 2x4, large 3x10, xlarge 4x15, 2xlarge 4x15, 4xlarge 8x30, 8xlarge 8x30, 12xlarge 8x30, " +
    "16xlarge 15x50, 24xlarge 15x50, 32xlarge 15x50, 48xlarge 15x50",
  intel6n:
    "large 3x10, xlarge 4x15, 2xlarge 4x15, 4xlarge 8x30, 8xlarge 8x30, 12xlarge 8x30, 16xlarge 15x50, " +
    "24xlarge 15x50, 32xlarge 8x50",
  amd8:
    "medium 2x4, large 3x20, xlarge 4x20, 2xlarge 4x40, 4xlarge 8x40, 8xlarge 10x40, 12xlarge 12x64, " +
    "16xlarge 16x64, 24xlarge 16x64, 48xlarge 24x64",
  graviton8n:
    "medium 2x4, large 3x10, xlarge 4x15, 2xlarge 4x15, 4xlarge 8x30, 8xlarge 10x30, 12xlarge 12x30, " +
    "16xlarge 16x50, 24xlarge 24x50, 48xlarge 12x50",
  intel8:
    "large 3x20, xlarge 4x30, 2xlarge 4x30, 4xlarge 8x50, 8xlarge 10x50, 12xlarge 12x50, 16xlarge 16x64, " +
    "24xlarge 16x64, 32xlarge 24x64, 48xlarge 24x64, 96xlarge 24x64",
  intel8n:
    "large 4x20, xlarge 4x30, 2xlarge 4x30, 4xlarge 8x50, 8xlarge 8x50, 12xlarge 12x50, 16xlarge 16x64, " +
    "24xlarge 16x64, 32xlarge 16x64, 48xlarge 24x64, 96xlarge 12x64",
  i4i:
    "large 3x10, xlarge 4x15, 2xlarge 4x15, 4xlarge 8x30, 8xlarge 8x30, 12xlarge 8x30, 16xlarge 15x50, " +
    "24xlarge 15x30, 32xlarge 15x50",
  i7ie:
    "large 3x10, xlarge 4x15, 2xlarge 4x15, 3xlarge 4x15, 6xlarge 8x30, 12xlarge 8x50, 18xlarge 15x50, " +
    "24xlarge 15x50, 48xlarge 8x50",
  i8ge:
    "large 3x10, xlarge 4x15, 2xlarge 4x15, 3xlarge 6x30, 6xlarge 10x30, 12xlarge 12x30, 18xlarge 16x50, " +
    "24xlarge 16x50, 48xlarge 12x50",
  m8azn: "medium 3x4, large 4x20, xlarge 4x20, 3xlarge 8x40, 6xlarge 8x40, 12xlarge 16x64, 24xlarge 16x64",
} as const satisfies Readonly<Record<string, string>>;
