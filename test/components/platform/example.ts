import { Provider as AwsProvider } from "@pulumi/aws/provider.js";
import * as kubernetes from "@pulumi/kubernetes";
import type { Placement } from "../../../components/platform/placement.ts";
import { type Graph, record } from "../../harness/record.ts";

export const LABELS = {
  "app.kubernetes.io/managed-by": "mayfly",
  "mayfly.dev/environment": "prod",
  "mayfly.dev/class": "production",
} as const;

export const SYSTEM_POOL: Placement = {
  nodeSelector: { "mayfly.dev/pool": "system" },
  tolerations: [{ key: "mayfly.dev/system", operator: "Exists", effect: "NoSchedule" }],
};

/** What a program with both providers registers, apart from the providers. */
export async function graphOf(
  program: (providers: { kubernetes: kubernetes.Provider; aws: AwsProvider }) => void,
  existing: Readonly<Record<string, object>> = {},
): Promise<Graph> {
  return await record(
    () => {
      program({
        kubernetes: new kubernetes.Provider("kubernetes", {}),
        aws: new AwsProvider("aws", { region: "eu-central-1" }),
      });
    },
    { project: "mayfly", stack: "prod", existing },
  );
}

/** `name  type  provider < parent` of each resource, sorted. */
export const registrations = (graph: Graph): string[] =>
  graph.resources
    .filter(({ type }) => !type.startsWith("pulumi:providers:"))
    .map(
      ({ name, type, provider, parent }) =>
        `${name}  ${type}${provider === undefined ? "" : `  by ${provider}`}${parent === undefined ? "" : `  in ${parent}`}`,
    )
    .sort();
