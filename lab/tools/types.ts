/** What a caller of `provideTools` may ask for: whole groups, since their members are only useful together. */
export const TOOL_GROUPS = ["pulumi", "store", "cluster"] as const;

/**
 * - `pulumi`: the Pulumi CLI, its Node language host, and where the Kubernetes provider plugin comes from.
 * - `store`: versitygw, the S3 server.
 * - `cluster`: everything a node without Docker needs: etcd, Kubernetes, CoreDNS, Calico, metrics-server, pause.
 */
export type ToolGroup = (typeof TOOL_GROUPS)[number];

/** The Pulumi CLI in use. */
export interface PulumiTools {
  /** Absolute folder with `pulumi` and `pulumi-language-nodejs`: goes first on PATH. */
  readonly bin: string;
  readonly source: "official" | "built";
  /** Without a leading v, such as `3.270.0`. */
  readonly version: string;
}

/** Where the Kubernetes provider plugin comes from. */
export type KubernetesPlugin =
  | {
      readonly source: "official";
      readonly version: string;
      /** Absolute folder that holds the executable `pulumi-resource-kubernetes`. */
      readonly folder: string;
    }
  | {
      readonly source: "stand-in";
      /** Why the official one is not used, one line for people. */
      readonly reason: string;
    };

/** What each group brings. Every path is absolute. */
export interface ToolsOfGroup {
  readonly pulumi: {
    readonly pulumi: PulumiTools;
    readonly kubernetesPlugin: KubernetesPlugin;
  };
  readonly store: {
    readonly versitygw: string;
  };
  readonly cluster: {
    readonly etcd: string;
    readonly kubeApiserver: string;
    readonly kubeControllerManager: string;
    readonly kubeScheduler: string;
    readonly kubelet: string;
    readonly kubeProxy: string;
    readonly kubectl: string;
    readonly coredns: string;
    readonly calicoFelix: string;
    /** A folder with `calico` and `calico-ipam`, for containerd's CNI `bin_dir`. */
    readonly calicoCni: string;
    /** A folder with the module's 18 CRD manifests (`*.yaml`) that match this Calico. */
    readonly calicoCrds: string;
    readonly metricsServer: string;
    /** The static binary that the sandbox image consists of. */
    readonly pause: string;
  };
}

/** The tools of the groups `G`: `ToolsFor<"pulumi" | "store">` has no `etcd`. */
export type ToolsFor<G extends ToolGroup> = Merge<ToolsOfGroup[G]>;

/** All tools there are. */
export type LabTools = ToolsFor<ToolGroup>;

/** Turns a union of objects into one object with all their members. */
type Merge<U> = (U extends unknown ? (member: U) => void : never) extends (member: infer I) => void
  ? { readonly [K in keyof I]: I[K] }
  : never;

/** How tools are provided. */
export interface ProvideOptions {
  /** Look for official downloads again instead of using the remembered answer (`--refresh`). */
  readonly refresh?: boolean;
  /** Stops a build or download; what is finished stays cached. */
  readonly signal?: AbortSignal;
}
