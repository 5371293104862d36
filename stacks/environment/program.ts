import * as pulumi from "@pulumi/pulumi";
import { FencePolicy } from "../../components/platform/fence-policy.ts";
import { StateRoles } from "../../components/platform/state-roles.ts";
import { TenantNamespace } from "../../components/tenants/namespace.ts";
import type { EnvironmentContract } from "../../schema/contract.ts";
import { type EnvironmentConfig, isEks } from "../../schema/environment/index.ts";
import { insideApply } from "../door.ts";
import { contractOf, lacksOf } from "./contract.ts";
import { eksFoundation } from "./eks.ts";
import { existingFoundation } from "./existing.ts";
import type { Identity } from "./foundation.ts";
import { environmentWorker } from "./worker.ts";

/** The environment's one output. */
export interface EnvironmentOutputs {
  readonly contract: pulumi.Output<EnvironmentContract>;
}

/**
 * The program of an environment: its config in, resources and contract out.
 * @throws UserError `other-cluster`.
 */
export async function environmentProgram(
  name: string,
  config: EnvironmentConfig,
): Promise<EnvironmentOutputs> {
  const identity: Identity = {
    name,
    labels: {
      "app.kubernetes.io/managed-by": "mayfly",
      "app.kubernetes.io/part-of": "mayfly",
      "mayfly.dev/environment": name,
      "mayfly.dev/class": config.class,
    },
  };
  await sayWhatIsLeftOut(config);

  const foundation = isEks(config)
    ? eksFoundation(identity, config)
    : await existingFoundation(identity, config);
  const { provider } = foundation;

  const tenants = config.tenants.map(({ id }) => {
    const labels = { ...identity.labels, "mayfly.dev/tenant": id };
    const { namespaceName } = new TenantNamespace(`tenant-${id}`, { tenant: id, labels, provider });
    return { id, namespace: namespaceName };
  });

  const fence = new FencePolicy("fence", { environment: name, labels: identity.labels, provider });

  const stateRoles = config.tenants.some(({ allowHighAvailability }) => allowHighAvailability)
    ? new StateRoles("state-roles", { environment: name, labels: identity.labels, provider })
    : undefined;

  const contract = pulumi
    .all([
      foundation.clusterId,
      foundation.nodes,
      pulumi.all(tenants.map(({ id, namespace }) => namespace.apply((known) => [id, known] as const))),
      foundation.storageClasses,
      foundation.repositories,
      fence.policies,
      stateRoles && { coordinator: stateRoles.coordinator, workers: stateRoles.workers },
    ])
    .apply(([clusterId, nodes, namespaces, storageClasses, repositories, fencePolicies, roles]) =>
      insideApply(() =>
        contractOf(name, config, {
          clusterId,
          nodes: new Map(nodes),
          namespaces: new Map(namespaces),
          storageClasses,
          repositories: new Map(repositories),
          fencePolicies,
          stateRoles: roles,
        }),
      ),
    );

  if (foundation.worker !== undefined) {
    const { policies: fencePolicies } = fence;
    environmentWorker(foundation.worker, {
      identity,
      contract,
      fencePolicies,
      stateRoles: stateRoles && pulumi.all([stateRoles.coordinator, stateRoles.workers]),
      tenants,
      provider,
    });
  }
  return { contract };
}

/** A part that is switched off is never left out silently. */
async function sayWhatIsLeftOut({ platform }: EnvironmentConfig): Promise<void> {
  for (const { part, because } of lacksOf(platform)) {
    await pulumi.log.warn(`without ${part}: ${because}`);
  }
}
