import { createAwsProvider } from "./aws/provider.ts";
import { createEksProvider } from "./eks/provider.ts";
import { createKubernetesProvider } from "./kubernetes/provider.ts";
import type { Log, Provider } from "./provider.ts";

/** Packages with a stand-in. Here `kubernetes` is simulated too; the lab has another stand-in, which works on a real cluster. */
export const PACKAGES = {
  aws: createAwsProvider,
  eks: createEksProvider,
  kubernetes: createKubernetesProvider,
} as const satisfies Readonly<Record<string, (log: Log) => Provider>>;

export type PackageName = keyof typeof PACKAGES;

export const PACKAGE_NAMES: readonly PackageName[] = ["aws", "eks", "kubernetes"];
