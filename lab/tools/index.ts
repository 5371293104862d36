import { join } from "node:path";
import { provideGoTool } from "./build.ts";
import { GO_TOOLS, type GoToolName } from "./modules.ts";
import { type Official, officialCli, officialKubernetesPlugin } from "./official.ts";
import { noteOf } from "./store.ts";
import type {
  KubernetesPlugin,
  LabTools,
  ProvideOptions,
  PulumiTools,
  ToolGroup,
  ToolsFor,
  ToolsOfGroup,
} from "./types.ts";

export type { LabTools, ProvideOptions, ToolGroup, ToolsFor } from "./types.ts";

/**
 * Makes sure that the tools of the asked groups exist and returns where they are: official ones where they can be had,
 * else built from Go modules into the cache (minutes the first time, milliseconds afterwards).
 *
 * `const { kubectl, pulumi } = await provideTools(["cluster", "pulumi"])`
 *
 * @throws UserError `go-missing`, `go-too-old`, `tool-build-failed`.
 */
export function provideTools<const G extends ToolGroup>(
  groups: readonly G[],
  options?: ProvideOptions,
): Promise<ToolsFor<G>>;
export async function provideTools(
  groups: readonly ToolGroup[],
  options: ProvideOptions = {},
): Promise<Partial<LabTools>> {
  let tools: Partial<LabTools> = {};
  // One after the other: each build keeps all cores busy. The cluster first, since all else waits for it longest.
  for (const group of ["cluster", "store", "pulumi"] as const) {
    if (groups.includes(group)) tools = { ...tools, ...(await PROVIDERS[group](options)) };
  }
  return tools;
}

const PROVIDERS: { readonly [G in ToolGroup]: (options: ProvideOptions) => Promise<ToolsOfGroup[G]> } = {
  async cluster(options) {
    const kubernetes = join(await build("kubernetes", options), "bin");
    const calico = await build("calico", options);
    return {
      kubeApiserver: join(kubernetes, "kube-apiserver"),
      kubeControllerManager: join(kubernetes, "kube-controller-manager"),
      kubeScheduler: join(kubernetes, "kube-scheduler"),
      kubelet: join(kubernetes, "kubelet"),
      kubeProxy: join(kubernetes, "kube-proxy"),
      kubectl: join(kubernetes, "kubectl"),
      etcd: join(await build("etcd", options), "bin", "etcd"),
      coredns: join(await build("coredns", options), "bin", "coredns"),
      calicoFelix: join(calico, "bin", "calico-felix"),
      calicoCni: join(calico, "cni"),
      calicoCrds: join(calico, "crds"),
      metricsServer: join(await build("metrics-server", options), "bin", "metrics-server"),
      pause: join(await build("pause", options), "bin", "pause"),
    };
  },
  async store(options) {
    return { versitygw: join(await build("versitygw", options), "bin", "versitygw") };
  },
  async pulumi(options) {
    const [cli, plugin] = await Promise.all([officialCli(options), officialKubernetesPlugin(options)]);
    return { pulumi: await pulumiTools(cli, options), kubernetesPlugin: pluginFrom(plugin) };
  },
};

const build = (name: GoToolName, options: ProvideOptions): Promise<string> =>
  provideGoTool(GO_TOOLS[name], options.signal);

async function pulumiTools(official: Official, options: ProvideOptions): Promise<PulumiTools> {
  if (official.found) return { bin: official.folder, source: "official", version: official.version };
  const folder = await build("pulumi", options);
  return { bin: join(folder, "bin"), source: "built", version: noteOf(folder, "version") ?? "unknown" };
}

const pluginFrom = (official: Official): KubernetesPlugin =>
  official.found
    ? { source: "official", version: official.version, folder: official.folder }
    : {
        source: "stand-in",
        reason: `the official Kubernetes provider ${official.version} can't be had here: ${official.reason}`,
      };
