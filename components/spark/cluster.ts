import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { SparkPlan } from "../../schema/plan.ts";
import { Component } from "../core/component.ts";
import { fenced, labelled } from "../core/labels.ts";
import { RunNamespace } from "../run/namespace.ts";
import { AUTHENTICATION, FILES } from "../run/pod.ts";
import { Coordinator } from "./coordinator.ts";
import { Workers } from "./workers.ts";

/** Arguments of a {@link SparkCluster}. */
export interface SparkClusterArgs {
  readonly plan: SparkPlan;
  /** Shared secret of the run's Spark processes (`spark.authenticate`). A value made afresh on each update is no change. */
  readonly authenticationSecret: pulumi.Input<string>;
  /** Of the lease under which it is made; none where nobody holds one. */
  readonly fence?: number | undefined;
  /** The cluster to make it in. */
  readonly provider: kubernetes.Provider;
}

/**
 * A whole Spark cluster for one run in a namespace of its own: standalone master and driver in the coordinator pod, workers
 * beside it. The plan has decided everything; this maps it to objects.
 */
export class SparkCluster extends Component {
  readonly namespaceName: pulumi.Output<string>;
  readonly coordinatorName: pulumi.Output<string>;
  readonly workersName: pulumi.Output<string>;

  constructor(name: string, args: SparkClusterArgs, options: pulumi.ComponentResourceOptions = {}) {
    const { plan } = args;
    const objectLabels = fenced(plan.labels, args.fence);
    super(
      "spark:SparkCluster",
      name,
      { tenant: plan.tenant, job: plan.job, run: plan.run, attempt: plan.attempt, version: plan.version },
      pulumi.mergeOptions(options, { providers: [args.provider] }),
    );

    // 1. The namespace and its fences.
    const { coordinator, workers } = plan;
    const run = new RunNamespace(
      this.childName("run"),
      {
        name: plan.namespace,
        labels: objectLabels,
        quota: plan.quota,
        counts: {
          services: 1,
          configMaps: 1,
          secrets: 1 + plan.secrets.length,
          jobs: 1,
          statefulSets: 1,
        },
        containers: [coordinator.master, coordinator.driver, workers.container],
        volumes: [coordinator.scratch, ...Array.from({ length: workers.count }, () => workers.scratch)],
        egress: plan.egress,
      },
      this.componentOptions(),
    );

    // 2. What pods mount.
    const inside = this.childOptions({ deletedWith: run.deletedWith });
    const metadata = (objectName: string) => ({
      name: objectName,
      namespace: run.namespaceName,
      labels: labelled(objectLabels, "run"),
    });
    const files = new kubernetes.core.v1.ConfigMap(
      this.childName(FILES),
      { metadata: metadata(FILES), immutable: true, data: plan.files },
      inside,
    );
    const authentication = new kubernetes.core.v1.Secret(
      this.childName(AUTHENTICATION),
      {
        metadata: metadata(AUTHENTICATION),
        type: "Opaque",
        immutable: true,
        data: { secret: base64(args.authenticationSecret) },
      },
      // A door makes a new random value each time it runs; the one of the first update stays.
      pulumi.mergeOptions(inside, { ignoreChanges: ["data"] }),
    );

    // 3. The pods, after all that they need: a pod that comes before its account, quota or volumes is tried again seconds later.
    const parts = { plan, objectLabels, run, before: [run, files, authentication] };
    const coordinatorPart = new Coordinator(this.childName("coordinator"), parts, this.componentOptions());
    const workersPart = new Workers(this.childName("workers"), parts, this.componentOptions());

    this.namespaceName = run.namespaceName;
    this.coordinatorName = coordinatorPart.jobName;
    this.workersName = workersPart.statefulSetName;
    this.seal({
      namespace: this.namespaceName,
      coordinator: this.coordinatorName,
      workers: this.workersName,
    });
  }
}

const base64 = (text: pulumi.Input<string>): pulumi.Output<string> =>
  pulumi.secret(text).apply((value) => Buffer.from(value, "utf8").toString("base64"));
