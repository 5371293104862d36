import type { JsonRecord, Step } from "../simulation/types.ts";

/** How many there are of what costs by the hour, whether or not anybody uses it. */
export interface FixedParts {
  readonly controlPlanes: number;
  readonly natGateways: number;
  /** Of each endpoint, one for every zone that it is in: so they are charged. */
  readonly interfaceEndpoints: number;
  readonly kmsKeys: number;
  readonly elasticIps: number;
}

/** Which side of the change to count. */
export type Side = "before" | "now";

/** Inputs of a step's resource on one side; undefined where it isn't there. */
function inputsOn({ op, oldInputs, newInputs }: Step, side: Side): JsonRecord | undefined {
  if (side === "before") return op === "create" ? undefined : (oldInputs ?? newInputs);
  return op === "delete" ? undefined : newInputs;
}

/** Counts what the engine would make, or what was there before: not what the config says, so that nothing is forgotten. Pure. */
export function fixedParts(steps: readonly Step[], side: Side): FixedParts {
  const all = (type: string): JsonRecord[] =>
    steps.flatMap((step) => {
      const inputs = step.type === type ? inputsOn(step, side) : undefined;
      return inputs === undefined ? [] : [inputs];
    });
  return {
    controlPlanes: all("aws:eks/cluster:Cluster").length,
    natGateways: all("aws:ec2/natGateway:NatGateway").length,
    interfaceEndpoints: all("aws:ec2/vpcEndpoint:VpcEndpoint")
      .filter(({ vpcEndpointType }) => vpcEndpointType === "Interface")
      .reduce((sum, { subnetIds }) => sum + (Array.isArray(subnetIds) ? subnetIds.length : 1), 0),
    kmsKeys: all("aws:kms/key:Key").length,
    elasticIps: all("aws:ec2/eip:Eip").length,
  };
}
