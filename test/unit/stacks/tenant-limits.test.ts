import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { projectDir } from "../../../base/paths.ts";
import { limitsFrom } from "../../../jobs/work/limits.ts";
import { EnvironmentContract } from "../../../schema/contract.ts";
import { DEFAULT_TENANT_LIMITS } from "../../../schema/service.ts";
import { checkedConfig } from "../../../stacks/environment/check-config.ts";
import { environment } from "../plan/sample.ts";

const Config = z.object({
  config: z.looseObject({ "mayfly:tenants": z.array(z.record(z.string(), z.unknown())) }),
});
const { config } = Config.parse(parse(readFileSync(join(projectDir, "Pulumi.prod.yaml"), "utf8")));

/** Production's config, whose first tenant has these limits. */
const limited = (limits: unknown): unknown => {
  const tenants = config["mayfly:tenants"].map((tenant, index) =>
    index === 0 ? { ...tenant, limits } : tenant,
  );
  return Object.fromEntries(
    Object.entries({ ...config, "mayfly:tenants": tenants }).map(([key, value]) => [
      key.replace(/^mayfly:/, ""),
      value,
    ]),
  );
};

test("a tenant's limits are what the config says, and the defaults where it says nothing", () => {
  const checked = checkedConfig(
    z.record(z.string(), z.unknown()).parse(limited({ running: 5, serviceClass: "urgent" })),
    "Pulumi.prod.yaml",
  );
  expect(checked.tenants[0]?.limits).toEqual({
    ...DEFAULT_TENANT_LIMITS,
    running: 5,
    serviceClass: "urgent",
  });
  expect(checked.tenants[1]?.limits).toEqual({
    running: 50,
    queued: 1000,
    weight: 1,
    serviceClass: "standard",
  });
});

test.each([
  [{ running: 0 }, "tenants[0].limits.running"],
  [{ queued: "many" }, "tenants[0].limits.queued"],
  [{ weight: 1.5 }, "tenants[0].limits.weight"],
  [{ serviceClass: "urgnt" }, "tenants[0].limits.serviceClass"],
  [{ runing: 5 }, "tenants[0].limits"],
])("limits of %j are refused with their path", (limits, path) => {
  const config = z.record(z.string(), z.unknown()).parse(limited(limits));
  expect(() => checkedConfig(config, "Pulumi.prod.yaml")).toThrow(path);
});

test("workers and submitters go by the contract; one from before there were limits has the defaults", () => {
  const contract = environment();
  expect(limitsFrom(contract, 4)).toEqual({
    helper: 4,
    tenants: { acme: DEFAULT_TENANT_LIMITS, globex: DEFAULT_TENANT_LIMITS },
  });
  const [first, ...others] = contract.tenants;
  const limits = { ...DEFAULT_TENANT_LIMITS, running: 2 };
  const written = EnvironmentContract.parse({ ...contract, tenants: [{ ...first, limits }, ...others] });
  expect(limitsFrom(written, 4).tenants["acme"]?.running).toBe(2);
});
