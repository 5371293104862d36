import type { Provider } from "@pulumi/aws/provider.js";
import * as pulumi from "@pulumi/pulumi";
import type { EksCluster } from "../../components/cluster/eks-cluster.ts";
import { WebIdentityRole } from "../../components/cluster/web-identity-role.ts";
import type { Labels } from "../../components/core/labels.ts";
import { WORKER_ACCOUNT, WORKER_NAMESPACE } from "../../components/platform/worker.ts";
import { workerPolicy } from "../../components/platform/worker-permissions.ts";
import type { EksEnvironment } from "../../schema/environment/index.ts";
import { egressOf, eksApiServer } from "./egress.ts";
import type { WorkerGround } from "./foundation.ts";

/** What {@link eksWorker} builds on. */
interface EksGround {
  readonly config: EksEnvironment;
  readonly cluster: EksCluster;
  /** ARNs. */
  readonly buckets: Readonly<Record<"state" | "logs" | "key", pulumi.Input<string>>>;
  /** Labels of the system pool's nodes. */
  readonly systemNodes: Labels;
  readonly after: pulumi.Resource[];
  readonly aws: Provider;
}

/** What a worker stands on in EKS, where the config wants one: the system pool's nodes, and a role of its own for S3. */
export function eksWorker(ground: EksGround): WorkerGround | undefined {
  const { config, cluster, buckets } = ground;
  if (config.worker === undefined) return undefined;
  const tenants = config.tenants.flatMap((tenant) => tenant.buckets);
  const role = new WebIdentityRole(
    "worker-identity",
    {
      oidcProviderArn: cluster.oidcProviderArn,
      oidcProviderUrl: cluster.oidcProviderUrl,
      namespace: WORKER_NAMESPACE,
      serviceAccount: WORKER_ACCOUNT,
      policy: pulumi
        .all([buckets.state, buckets.logs, buckets.key])
        .apply(([state, logs, key]) => JSON.stringify(workerPolicy({ state, logs, key, tenants }))),
    },
    { providers: [ground.aws] },
  );
  return {
    config: config.worker,
    state: `s3://${config.buckets.state}?region=${config.cluster.region}`,
    plugin: "official",
    s3: { by: "web-identity", roleArn: role.roleArn },
    egress: [...egressOf(config), eksApiServer(config.cluster), ...config.worker.egress],
    placement: { nodeSelector: ground.systemNodes, tolerations: [] },
    after: [...ground.after, role],
  };
}
