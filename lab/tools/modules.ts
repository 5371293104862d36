/**
 * The tools that are built from Go modules: what each folder of lab/go makes. Versions stand in the go.mod files only;
 * linker flags take them from there.
 */

/** One `go build`. */
export interface GoProgram {
  /** Folder below lab/go with go.mod, go.sum and, for package `.`, the main. */
  readonly module: string;
  /** Import path, or `.` for a main of our own. */
  readonly package: string;
  /** The required module whose version is the program's version; undefined for what is wholly ours. */
  readonly versionOf: string | undefined;
  /** Where the binary goes, relative to the tool's folder. */
  readonly output: string;
  readonly tags?: readonly string[];
  /** Go variables that the linker sets, as `-X name=value`. @param version As in go.mod, with its v. */
  readonly variables?: (version: string) => Readonly<Record<string, string>>;
  /** Files of the module `versionOf` that come along: folder in the module to folder in the tool. */
  readonly files?: Readonly<Record<string, string>>;
}

/** What is built, cached and replaced as one. */
export interface GoTool {
  readonly name: string;
  readonly programs: readonly GoProgram[];
  /** Symbolic links: path in the tool's folder to the target, relative to the link. */
  readonly links?: Readonly<Record<string, string>>;
  /** Time of a first build on two cores, for people who wait. */
  readonly takes: string;
}

const kubernetesVersion = (version: string): Record<string, string> => {
  const [major = "", minor = ""] = version.replace(/^v/, "").split(".");
  return Object.fromEntries(
    // The server and the client libraries (user agents, kubectl) each have their own copy.
    ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"].flatMap((path) => [
      [`${path}.gitVersion`, version],
      [`${path}.gitMajor`, major],
      [`${path}.gitMinor`, minor],
    ]),
  );
};

const pulumiVersion = (version: string): Record<string, string> => ({
  "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version": version,
});

/** Names of the six programs that the one Kubernetes binary is. */
export const KUBERNETES_PROGRAMS = [
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kubelet",
  "kube-proxy",
  "kubectl",
] as const;

const CALICO = "github.com/projectcalico/calico";

/** In the order in which they are built: what the rest of a set-up waits for longest comes first. */
export const GO_TOOLS = {
  kubernetes: {
    name: "kubernetes",
    programs: [
      {
        module: "kubernetes",
        package: ".",
        versionOf: "k8s.io/kubernetes",
        output: "bin/kubernetes",
        variables: kubernetesVersion,
      },
    ],
    links: Object.fromEntries(KUBERNETES_PROGRAMS.map((program) => [`bin/${program}`, "kubernetes"])),
    takes: "4 min",
  },
  etcd: {
    name: "etcd",
    programs: [{ module: "etcd", package: ".", versionOf: "go.etcd.io/etcd/server/v3", output: "bin/etcd" }],
    takes: "35 s",
  },
  coredns: {
    name: "coredns",
    programs: [
      { module: "coredns", package: ".", versionOf: "github.com/coredns/coredns", output: "bin/coredns" },
    ],
    takes: "40 s",
  },
  calico: {
    name: "calico",
    programs: [
      {
        module: "calico",
        package: `${CALICO}/felix/cmd/calico-felix`,
        versionOf: CALICO,
        output: "bin/calico-felix",
        variables: (version) => ({ [`${CALICO}/felix/buildinfo.GitVersion`]: version }),
        files: { "libcalico-go/config/crd": "crds" },
      },
      {
        module: "calico",
        package: `${CALICO}/cni-plugin/cmd/calico`,
        versionOf: CALICO,
        output: "cni/calico",
        variables: (version) => ({ "main.VERSION": version }),
      },
    ],
    // The plugin looks at the name it is called by.
    links: { "cni/calico-ipam": "calico" },
    takes: "2 min",
  },
  "metrics-server": {
    name: "metrics-server",
    programs: [
      {
        module: "metrics-server",
        package: "sigs.k8s.io/metrics-server/cmd/metrics-server",
        versionOf: "sigs.k8s.io/metrics-server",
        output: "bin/metrics-server",
        variables: (version) => ({ "k8s.io/client-go/pkg/version.gitVersion": version }),
      },
    ],
    takes: "90 s",
  },
  pause: {
    name: "pause",
    programs: [{ module: "pause", package: ".", versionOf: undefined, output: "bin/pause" }],
    takes: "2 s",
  },
  pulumi: {
    name: "pulumi",
    programs: [
      {
        module: "pulumi",
        package: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
        versionOf: "github.com/pulumi/pulumi/pkg/v3",
        output: "bin/pulumi",
        tags: ["osusergo", "grpcnotrace"],
        variables: pulumiVersion,
      },
      {
        module: "pulumi-language-nodejs",
        package: "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs",
        versionOf: "github.com/pulumi/pulumi/sdk/v3",
        output: "bin/pulumi-language-nodejs",
        variables: pulumiVersion,
      },
    ],
    takes: "3 min",
  },
  versitygw: {
    name: "versitygw",
    programs: [
      {
        module: "versitygw",
        package: ".",
        versionOf: "github.com/versity/versitygw",
        output: "bin/versitygw",
        variables: (version) => ({ "main.version": version }),
      },
    ],
    takes: "40 s",
  },
} as const satisfies Record<string, GoTool>;

/** A tool of the table. */
export type GoToolName = keyof typeof GO_TOOLS;

/** The version of `module` that a go.mod requires (with its v), or undefined. */
export function requiredVersion(goMod: string, module: string): string | undefined {
  for (const line of goMod.split("\n")) {
    // `require path v1.2.3` or, within a block, `path v1.2.3 // indirect`; replacements have an arrow.
    const [path, version] = line
      .trim()
      .replace(/^require\s+/, "")
      .split(/\s+/);
    if (path === module && version?.startsWith("v") === true) return version;
  }
  return undefined;
}
