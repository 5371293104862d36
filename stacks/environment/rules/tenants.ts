import { suggest } from "../../../base/nearest.ts";
import { type EnvironmentConfig, isEks } from "../../../schema/environment/index.ts";
import type { Problem } from "./problem.ts";

/** Tenants and engine images. */
export function tenantProblems(config: EnvironmentConfig): Problem[] {
  const { tenants, pools, images } = config;
  const problems: Problem[] = [];
  const ids = tenants.map(({ id }) => id);
  const poolNames = pools.map(({ name }) => name);
  for (const [index, tenant] of tenants.entries()) {
    if (ids.indexOf(tenant.id) < index) {
      problems.push({
        path: `tenants[${index}].id`,
        message: `a tenant of this id, "${tenant.id}", is there already`,
      });
    }
    // Cloud identities trust namespaces by the pattern <tenant>-*: an id that begins with another's would be trusted too.
    const within = ids.find((id) => tenant.id.startsWith(`${id}-`));
    if (within !== undefined) {
      problems.push({
        path: `tenants[${index}].id`,
        message: `"${tenant.id}" begins with "${within}-", so its runs would pass for those of tenant "${within}"`,
      });
    }
    for (const [at, name] of (tenant.pools ?? []).entries()) {
      const pool = pools.find((one) => one.name === name);
      if (pool === undefined) {
        problems.push({
          path: `tenants[${index}].pools[${at}]`,
          message: `tenant "${tenant.id}" uses pool "${name}", which is not there. ${suggest(name, poolNames)}`,
        });
      }
    }
    if (tenant.allowHighAvailability && !isEks(config) && config.kubernetesApi === undefined) {
      problems.push({
        path: `tenants[${index}].allowHighAvailability`,
        message: `tenant "${tenant.id}" may have high availability, but kubernetesApi does not say how its pods reach the Kubernetes API`,
      });
    }
    const usable = tenant.pools ?? poolNames;
    if (!pools.some(({ name, state }) => state === "active" && usable.includes(name))) {
      problems.push({
        path: `tenants[${index}].pools`,
        message: `tenant "${tenant.id}" has no active pool left`,
      });
    }
  }
  for (const [index, { engine, version }] of images.entries()) {
    if (images.findIndex((image) => image.engine === engine && image.version === version) < index) {
      problems.push({ path: `images[${index}]`, message: "an image for this version is there already" });
    }
  }
  return problems;
}
