import { listNames } from "../../../base/nearest.ts";
import { SUPPORTED_KUBERNETES } from "../../../knowledge/versions.ts";
import type { EksEnvironment } from "../../../schema/environment/index.ts";
import type { Problem } from "./problem.ts";

const minorOf = (version: string): number => Number(version.split(".")[1]);

/** How far kubelets may lag behind the API server: https://kubernetes.io/releases/version-skew-policy/#kubelet */
const KUBELET_SKEW = 3;

/** Kubernetes versions of the cluster and of its pools. */
export function versionProblems({ cluster, pools }: EksEnvironment): Problem[] {
  const problems: Problem[] = [];
  if (!SUPPORTED_KUBERNETES.includes(cluster.kubernetesVersion)) {
    problems.push({
      path: "cluster.kubernetesVersion",
      message: `"${cluster.kubernetesVersion}" is not supported by this Mayfly, which has add-on versions for ${listNames(SUPPORTED_KUBERNETES)}`,
    });
  }
  for (const [index, { kubernetesVersion }] of pools.entries()) {
    if (kubernetesVersion === undefined) continue;
    const path = `pools[${index}].kubernetesVersion`;
    const lag = minorOf(cluster.kubernetesVersion) - minorOf(kubernetesVersion);
    if (lag < 0) {
      problems.push({
        path,
        message: `${kubernetesVersion} is newer than the cluster's ${cluster.kubernetesVersion}: upgrade the cluster first`,
      });
    } else if (lag > KUBELET_SKEW) {
      problems.push({
        path,
        message: `${kubernetesVersion} is ${lag} minor versions older than the cluster's ${cluster.kubernetesVersion}; at most ${KUBELET_SKEW} are allowed`,
      });
    }
  }
  return problems;
}
