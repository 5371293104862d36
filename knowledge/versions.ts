import { UserError } from "../base/errors.ts";

/** Versions of everything on a cluster that has one, for one minor version of Kubernetes. */
export interface PlatformVersions {
  /** EKS add-on vpc-cni. */
  readonly vpcCni: string;
  /** EKS add-on coredns. */
  readonly coreDns: string;
  /** EKS add-on kube-proxy: of the cluster's minor version. */
  readonly kubeProxy: string;
  /** EKS add-on aws-ebs-csi-driver. */
  readonly ebsCsi: string;
  /** EKS add-on eks-pod-identity-agent. */
  readonly podIdentityAgent: string;
  /** Tag of image registry.k8s.io/autoscaling/cluster-autoscaler: of the cluster's minor version. */
  readonly clusterAutoscaler: string;
  /** Chart cluster-autoscaler of https://kubernetes.github.io/autoscaler. */
  readonly clusterAutoscalerChart: string;
  /** Charts tigera-operator and crd.projectcalico.org.v1 of https://docs.tigera.io/calico/charts; both have one version. */
  readonly calico: string;
}

/**
 * The same for all minor versions.
 * - ebsCsi, podIdentityAgent: AWS's page has no table for them. These are what `aws eks describe-addon-versions` of 2026-06-24 called the
 *   default for 1.34, as three public configurations write down; 1.33, 1.35 and 1.36 clusters are configured with the same ones.
 * - clusterAutoscalerChart: released 2026-03-02 (https://sourceforge.net/projects/kubernetes-autoscaler.mirror/files/).
 * - calico: released 2026-11-16 (https://github.com/projectcalico/calico/releases). Not verified: which Kubernetes versions it is tested on.
 */
const COMMON = {
  ebsCsi: "v1.62.0-eksbuild.1",
  podIdentityAgent: "v1.3.10-eksbuild.3",
  clusterAutoscalerChart: "9.56.0",
  calico: "v3.33.1",
} as const;

/**
 * The one table of pinned versions. Sources, looked up 2026-11-24 in stored copies, not on AWS itself, which could not be reached:
 * - vpcCni, coreDns, kubeProxy: tables "latest version of the Amazon EKS add-on type" of
 *   https://docs.aws.amazon.com/eks/latest/userguide/managing-vpc-cni.html, …/managing-coredns.html and …/managing-kube-proxy.html, all three of
 *   one edition, of the spring of 2026. There are newer builds; the config's `versions` takes them.
 * - clusterAutoscaler: what kOps pins for each minor version (pkg/model/components/clusterautoscaler.go); 1.35.1 also by its release page.
 *
 * Not verified: that each pair is still offered. `docs/components/addons.md` has the command that says so for an account.
 */
const TABLE = {
  "1.33": {
    ...COMMON,
    vpcCni: "v1.21.1-eksbuild.7",
    coreDns: "v1.13.2-eksbuild.4",
    kubeProxy: "v1.33.10-eksbuild.2",
    clusterAutoscaler: "v1.33.5",
  },
  "1.34": {
    ...COMMON,
    vpcCni: "v1.21.1-eksbuild.7",
    coreDns: "v1.13.2-eksbuild.4",
    kubeProxy: "v1.34.6-eksbuild.2",
    clusterAutoscaler: "v1.34.4",
  },
  "1.35": {
    ...COMMON,
    vpcCni: "v1.21.1-eksbuild.7",
    coreDns: "v1.13.2-eksbuild.4",
    kubeProxy: "v1.35.3-eksbuild.2",
    clusterAutoscaler: "v1.35.1",
  },
} as const satisfies Readonly<Record<string, PlatformVersions>>;

/** Minor versions that an environment may have, oldest first. */
export const SUPPORTED_KUBERNETES: readonly string[] = Object.keys(TABLE);

/**
 * The versions that go with a cluster's minor version.
 * @throws UserError `kubernetes-version-unsupported` where the table has no row.
 */
export function versionsFor(kubernetesVersion: string): PlatformVersions {
  const found = Object.entries(TABLE).find(([minor]) => minor === kubernetesVersion);
  if (found !== undefined) return found[1];
  throw new UserError("kubernetes-version-unsupported", `Kubernetes ${kubernetesVersion} is not supported.`, {
    hint: `Supported are ${SUPPORTED_KUBERNETES.join(", ")}.`,
  });
}
