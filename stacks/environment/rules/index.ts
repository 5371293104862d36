import { type EnvironmentConfig, isEks } from "../../../schema/environment/index.ts";
import { networkProblems } from "./network.ts";
import { platformProblems } from "./platform.ts";
import { eksPoolProblems, poolProblems } from "./pools.ts";
import type { Problem } from "./problem.ts";
import { tenantProblems } from "./tenants.ts";
import { versionProblems } from "./versions.ts";
import { workerProblems } from "./worker.ts";

/** All that is wrong between the members of a config that is well-formed by itself. Pure. */
export function configProblems(config: EnvironmentConfig): Problem[] {
  const common = [...poolProblems(config), ...tenantProblems(config), ...workerProblems(config)];
  if (!isEks(config)) return common;
  return [
    ...networkProblems(config.cluster),
    ...versionProblems(config),
    ...eksPoolProblems(config),
    ...platformProblems(config),
    ...common,
  ];
}
