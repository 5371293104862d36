import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Plan } from "../../schema/plan.ts";
import { Component } from "../core/component.ts";
import { fenced, labelled } from "../core/labels.ts";
import { RunService } from "../services/service.ts";
import { RunAccess } from "./access.ts";
import { Coordinator } from "./coordinator.ts";
import { RunNamespace } from "./namespace.ts";
import { AUTHENTICATION, FILES } from "./pod.ts";
import { Workers } from "./workers.ts";

/** Arguments of a {@link RunCluster}. */
export interface RunClusterArgs<P extends Plan = Plan> {
  readonly plan: P;
  /** Shared secret of the run's processes. A value made afresh on each update is no change. */
  readonly authenticationSecret: pulumi.Input<string>;
  /** Of the lease under which it is made; none where nobody holds one. */
  readonly fence?: number | undefined;
  /** The cluster to make it in. */
  readonly provider: kubernetes.Provider;
}

/** Type tokens of an engine's components: part of every URN, hence never changed. */
export interface ClusterTokens {
  readonly cluster: `${string}:${string}`;
  readonly coordinator: `${string}:${string}`;
  readonly workers: `${string}:${string}`;
}

/**
 * A whole cluster for one run in a namespace of its own: the coordinator pod and the workers. The plan has decided everything; this
 * maps it to objects, the same for every engine.
 */
export abstract class RunCluster extends Component {
  readonly namespaceName: pulumi.Output<string>;
  readonly coordinatorName: pulumi.Output<string>;
  readonly workersName: pulumi.Output<string>;

  protected constructor(
    tokens: ClusterTokens,
    name: string,
    inputs: pulumi.Inputs,
    args: RunClusterArgs,
    options: pulumi.ComponentResourceOptions,
  ) {
    const { plan } = args;
    const objectLabels = fenced(plan.labels, args.fence);
    super(
      tokens.cluster,
      name,
      {
        tenant: plan.tenant,
        job: plan.job,
        run: plan.run,
        attempt: plan.attempt,
        version: plan.version,
        ...inputs,
      },
      pulumi.mergeOptions(options, { providers: [args.provider] }),
    );

    // 1. The namespace and its fences.
    const { coordinator, workers, services = [] } = plan;
    const run = new RunNamespace(
      this.childName("run"),
      {
        name: plan.namespace,
        labels: objectLabels,
        quota: plan.quota,
        counts: {
          services: 1 + services.length,
          configMaps: 1 + (plan.kubernetes?.configMaps ?? 0),
          secrets: 1 + plan.secrets.length,
          jobs: 1,
          statefulSets: 1,
          deployments: services.length,
        },
        engine: [...coordinator.sidecars, coordinator.driver, workers.container],
        volumes: [coordinator.scratch, ...Array.from({ length: workers.count }, () => workers.scratch)],
        egress: plan.egress,
        services,
      },
      this.componentOptions(),
    );

    // 2. What pods mount.
    const inside = this.childOptions(run.inside);
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

    const access =
      plan.kubernetes === undefined
        ? []
        : [
            new RunAccess(
              this.childName("access"),
              { access: plan.kubernetes, labels: objectLabels, run },
              this.componentOptions(),
            ),
          ];

    // 3. The pods, after all that they need: a pod that comes before its account, quota or volumes is tried again seconds later.
    const parts = { plan, objectLabels, run, before: [run, files, authentication, ...access] };
    const coordinatorPart = new Coordinator(
      this.childName("coordinator"),
      { ...parts, token: tokens.coordinator },
      this.componentOptions(),
    );
    const workersPart = new Workers(
      this.childName("workers"),
      { ...parts, token: tokens.workers },
      this.componentOptions(),
    );
    for (const service of services) {
      new RunService(
        this.childName(`service-${service.name}`),
        { ...parts, service, before: [run] },
        this.componentOptions(),
      );
    }

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
