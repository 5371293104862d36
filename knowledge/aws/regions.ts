import { nearest } from "../../base/nearest.ts";

interface Region {
  readonly name: string;
  /** Letters of the zones; empty where no source tells them. */
  readonly zones: string;
}

/**
 * The regions of the partition `aws`, from botocore 1.44.5 (November 2026). Zones are those in which EC2 offers instance types, from
 * moto 5.2.5 (PyPI, October 2026). Letters are each account's own (https://docs.aws.amazon.com/ram/latest/userguide/working-with-az-ids.html):
 * in us-west-1 and ap-northeast-1 an account sees only some of them, so all that any account sees are listed; mx-central-1 is from
 * AWS's region table.
 */
const REGIONS: Readonly<Record<string, Region>> = {
  "af-south-1": { name: "Africa (Cape Town)", zones: "abc" },
  "ap-east-1": { name: "Asia Pacific (Hong Kong)", zones: "abc" },
  "ap-east-2": { name: "Asia Pacific (Taipei)", zones: "" },
  "ap-northeast-1": { name: "Asia Pacific (Tokyo)", zones: "abcd" },
  "ap-northeast-2": { name: "Asia Pacific (Seoul)", zones: "abcd" },
  "ap-northeast-3": { name: "Asia Pacific (Osaka)", zones: "abc" },
  "ap-south-1": { name: "Asia Pacific (Mumbai)", zones: "abc" },
  "ap-south-2": { name: "Asia Pacific (Hyderabad)", zones: "abc" },
  "ap-southeast-1": { name: "Asia Pacific (Singapore)", zones: "abc" },
  "ap-southeast-2": { name: "Asia Pacific (Sydney)", zones: "abc" },
  "ap-southeast-3": { name: "Asia Pacific (Jakarta)", zones: "abc" },
  "ap-southeast-4": { name: "Asia Pacific (Melbourne)", zones: "abc" },
  "ap-southeast-5": { name: "Asia Pacific (Malaysia)", zones: "abc" },
  "ap-southeast-6": { name: "Asia Pacific (New Zealand)", zones: "" },
  "ap-southeast-7": { name: "Asia Pacific (Thailand)", zones: "" },
  "ca-central-1": { name: "Canada (Central)", zones: "abd" },
  "ca-west-1": { name: "Canada West (Calgary)", zones: "abc" },
  "eu-central-1": { name: "Europe (Frankfurt)", zones: "abc" },
  "eu-central-2": { name: "Europe (Zurich)", zones: "abc" },
  "eu-north-1": { name: "Europe (Stockholm)", zones: "abc" },
  "eu-south-1": { name: "Europe (Milan)", zones: "abc" },
  "eu-south-2": { name: "Europe (Spain)", zones: "abc" },
  "eu-west-1": { name: "Europe (Ireland)", zones: "abc" },
  "eu-west-2": { name: "Europe (London)", zones: "abcd" },
  "eu-west-3": { name: "Europe (Paris)", zones: "abc" },
  "il-central-1": { name: "Israel (Tel Aviv)", zones: "abc" },
  "me-central-1": { name: "Middle East (UAE)", zones: "abc" },
  "me-south-1": { name: "Middle East (Bahrain)", zones: "abc" },
  "mx-central-1": { name: "Mexico (Central)", zones: "abc" },
  "sa-east-1": { name: "South America (São Paulo)", zones: "abc" },
  "us-east-1": { name: "US East (N. Virginia)", zones: "abcdef" },
  "us-east-2": { name: "US East (Ohio)", zones: "abc" },
  "us-west-1": { name: "US West (N. California)", zones: "abc" },
  "us-west-2": { name: "US West (Oregon)", zones: "abcd" },
};

/** Codes of all known regions. */
export const REGION_CODES: readonly string[] = Object.keys(REGIONS);

/** Whether AWS has a region of that code (partition `aws`; neither GovCloud nor China). */
export const isRegion = (code: string): boolean => Object.hasOwn(REGIONS, code);

/** `Europe (Ireland)` for `eu-west-1`; undefined for what is no region. */
export const regionName = (code: string): string | undefined =>
  isRegion(code) ? REGIONS[code]?.name : undefined;

/** Zones such as `eu-west-1a`; undefined for what is no region, and where the letters are not known. */
export function zonesOf(code: string): readonly string[] | undefined {
  const letters = isRegion(code) ? REGIONS[code]?.zones : undefined;
  return letters === undefined || letters === ""
    ? undefined
    : Array.from(letters, (letter) => `${code}${letter}`);
}

/** A sentence for a region that is not known: the nearest one, if any is near, and where to look. */
export function suggestRegions(code: string): string {
  const near = nearest(code, REGION_CODES);
  const question = near === undefined ? "" : `Did you mean "${near}"? `;
  return `${question}Regions are codes such as eu-west-1 or us-east-1: https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html`;
}
