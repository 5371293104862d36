import { buildReview, type ReviewInput } from "../../../review/model.ts";
import type { Review } from "../../../review/types.ts";
import type { EnvironmentConfig } from "../../../schema/environment/index.ts";
import { EksEnvironment } from "../../../schema/environment/index.ts";
import type { Json, JsonRecord, Op, OperationResult, Step } from "../../../simulation/types.ts";

export const NOTICE = "The cloud side is simulated: no account was asked.";

const STACK = "urn:pulumi:prod::mayfly::pulumi:pulumi:Stack::mayfly-prod";
export const urnOf = (type: string, name: string): string => `urn:pulumi:prod::mayfly::${type}::${name}`;

/** What a test says of a step; all else is as of a custom resource without properties. */
export type StepText = Partial<Step> & { readonly type: string; readonly name: string; readonly op: Op };

/** A step as the engine reports it. */
export function stepOf(text: StepText): Step {
  const custom = text.custom ?? !text.type.startsWith("mayfly:");
  return {
    urn: urnOf(text.type, text.name),
    parent: STACK,
    custom,
    protect: false,
    provider: custom ? "urn:pulumi:prod::mayfly::pulumi:providers:aws::aws::id" : undefined,
    replaceKeys: [],
    deleteBeforeReplace: false,
    differences: [],
    oldInputs: text.op === "create" ? undefined : {},
    newInputs: text.op === "delete" ? undefined : {},
    outputs: text.op === "delete" ? undefined : {},
    ...text,
  };
}

/** Name of a zone's node group. */
export const groupName = (pool: string, zone: string): string => `pool-${pool}-eu-central-1${zone}`;

/** A pool: its component with a node group and a launch template for each zone. */
export function poolSteps(
  pool: string,
  op: Op,
  group: Partial<Step> = {},
  zones: readonly string[] = ["a", "b", "c"],
): Step[] {
  const component = stepOf({
    type: "mayfly:nodes:NodePool",
    name: `pool-${pool}`,
    op,
  });
  return [
    component,
    ...zones.flatMap((zone) => [
      stepOf({
        type: "aws:ec2/launchTemplate:LaunchTemplate",
        name: `${groupName(pool, zone)}-template`,
        op: op === "update" || op === "replace" ? "same" : op,
        parent: component.urn,
      }),
      stepOf({
        type: "aws:eks/nodeGroup:NodeGroup",
        name: groupName(pool, zone),
        op,
        parent: component.urn,
        ...group,
      }),
    ]),
  ];
}

/** The stack, its provider, a network with a VPC: what stands around the pools. */
export const aroundSteps = (op: Op): Step[] => {
  const network = stepOf({ type: "mayfly:network:Network", name: "network", op });
  return [
    stepOf({
      type: "pulumi:pulumi:Stack",
      name: "mayfly-prod",
      op,
      urn: STACK,
      parent: undefined,
      custom: false,
    }),
    stepOf({ type: "pulumi:providers:aws", name: "aws", op }),
    network,
    stepOf({ type: "aws:ec2/vpc:Vpc", name: "network-vpc", op, parent: network.urn, protect: true }),
  ];
};

/** The node groups' maximum goes from one number to another. */
export const scaling = (from: number, to: number): Partial<Step> => ({
  differences: [{ path: "scalingConfig.maxSize", kind: "update", replaces: false }],
  oldInputs: { scalingConfig: { maxSize: from } },
  newInputs: { scalingConfig: { maxSize: to } },
});

/** The node groups get another instance type, which replaces them. */
export const retyping = (from: string, to: string): Partial<Step> => ({
  differences: [{ path: "instanceTypes[0]", kind: "update", replaces: true }],
  replaceKeys: ["instanceTypes"],
  oldInputs: { instanceTypes: [from] },
  newInputs: { instanceTypes: [to] },
});

export function resultOf(steps: readonly Step[], more: Partial<OperationResult> = {}): OperationResult {
  return {
    steps,
    diagnostics: [],
    violations: [],
    succeeded: true,
    outputs: {},
    unmodelled: [],
    milliseconds: 1,
    ...more,
  };
}

/** A config of an EKS environment in three zones, with what a test wants otherwise. */
export function configOf(members: JsonRecord = {}, cluster: JsonRecord = {}): EksEnvironment {
  return EksEnvironment.parse({
    version: 2,
    class: "production",
    protect: true,
    cluster: {
      kind: "eks",
      region: "eu-central-1",
      zones: ["eu-central-1a", "eu-central-1b", "eu-central-1c"],
      kubernetesVersion: "1.34",
      network: { vpcCidr: "10.20.0.0/16", nat: "one-per-zone" },
      endpoint: { access: "private" },
      access: [{ name: "platform", principalArn: "arn:aws:iam::111122223333:role/platform", level: "admin" }],
      systemPool: { instanceType: "m7g.large", nodesPerZone: { min: 1, max: 2 } },
      ...cluster,
    },
    pools: [pool()],
    platform: { startupTaint: { install: false, because: "no image for it" } },
    buckets: { logs: "acme-mayfly-logs", state: "acme-mayfly-state" },
    tenants: [
      {
        id: "acme",
        quota: { cpu: "64", memory: "256Gi", scratch: "1Ti", pods: 200 },
        s3Identity: { kind: "web-identity", roleArn: "arn:aws:iam::111122223333:role/acme" },
        buckets: ["acme-data"],
      },
    ],
    images: [{ engine: "spark", version: "4.0.1", reference: "registry.example/spark@sha256:0" }],
    ...members,
  });
}

/** A pool of a config. */
export const pool = (members: JsonRecord = {}): JsonRecord => ({
  name: "m7g-4xlarge",
  instanceTypes: ["m7g.4xlarge"],
  nodesPerZone: { min: 0, max: 10 } satisfies Json,
  ...members,
});

/** A review of these steps against HEAD, as `prod`. */
export function reviewOf(steps: readonly Step[], more: Partial<ReviewInput> = {}): Review {
  const config: EnvironmentConfig = more.config ?? configOf();
  return buildReview({
    environment: "prod",
    comparedWith: {
      kind: "commit",
      commit: "abc1234",
      ref: "HEAD",
      file: "Pulumi.prod.yaml",
      programDiffers: false,
      notes: [],
    },
    notice: NOTICE,
    result: resultOf(steps),
    config,
    before: config,
    rules: 12,
    ...more,
  });
}
