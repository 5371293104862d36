import type { ProvideOptions, ToolGroup, ToolsFor } from "./types.ts";

export type {
  KubernetesPlugin,
  LabTools,
  ProvideOptions,
  PulumiTools,
  ToolGroup,
  ToolsFor,
} from "./types.ts";

/**
 * Makes sure that the tools of the asked groups exist and returns where they are: official ones where they can be had,
 * else built from Go modules into the cache (minutes the first time, milliseconds afterwards).
 *
 * `const { kubectl, pulumi } = await provideTools(["cluster", "pulumi"])`
 *
 * @throws UserError `go-missing`, `go-too-old`, `tool-build-failed`, `tool-download-failed`.
 */
export async function provideTools<const G extends ToolGroup>(
  groups: readonly G[],
  options: ProvideOptions = {},
): Promise<ToolsFor<G>> {
  await Promise.resolve([groups, options]);
  throw new Error("provideTools is being written");
}
