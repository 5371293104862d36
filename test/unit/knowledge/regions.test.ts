import { describe, expect, it } from "vitest";
import {
  isRegion,
  REGION_CODES,
  regionName,
  suggestRegions,
  zonesOf,
} from "../../../knowledge/aws/regions.ts";

describe("regions", () => {
  it("have names and zones", () => {
    expect(regionName("eu-west-1")).toBe("Europe (Ireland)");
    expect(zonesOf("eu-west-1")).toEqual(["eu-west-1a", "eu-west-1b", "eu-west-1c"]);
    expect(zonesOf("ca-central-1")).toEqual(["ca-central-1a", "ca-central-1b", "ca-central-1d"]);
    expect(zonesOf("us-east-1")).toHaveLength(6);
  });

  it("without a source for their zones have none, which is no statement that they have none", () => {
    expect(isRegion("ap-southeast-6")).toBe(true);
    expect(zonesOf("ap-southeast-6")).toBeUndefined();
    expect(REGION_CODES.filter((code) => zonesOf(code) === undefined)).toEqual([
      "ap-east-2",
      "ap-southeast-6",
      "ap-southeast-7",
    ]);
  });

  it.each(["eu-west-1a", "us-gov-west-1", "cn-north-1", "", "__proto__", "constructor"])(
    "do not include %j",
    (code) => {
      expect(isRegion(code)).toBe(false);
      expect(regionName(code)).toBeUndefined();
      expect(zonesOf(code)).toBeUndefined();
    },
  );

  it("are suggested where one is near", () => {
    expect(suggestRegions("eu-westt-1")).toContain('Did you mean "eu-west-1"?');
    expect(suggestRegions("frankfurt")).not.toContain("Did you mean");
  });
});
