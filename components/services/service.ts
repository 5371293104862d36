import * as kubernetes from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { Plan, PlannedService } from "../../schema/plan.ts";
import { Component } from "../core/component.ts";
import { FENCE_STAYS, type Labels, labelled, type Role, selects } from "../core/labels.ts";
import { SKIP_AWAIT } from "../run/coordinator.ts";
import type { RunNamespace } from "../run/namespace.ts";
import { autoscalerSpec } from "./autoscaler.ts";
import { servicePod } from "./pod.ts";

/** Arguments of a {@link RunService}. */
export interface RunServiceArgs {
  readonly plan: Plan;
  readonly service: PlannedService;
  /** Those of the plan with the fence, for all but pods. */
  readonly objectLabels: Labels;
  readonly run: Pick<RunNamespace, "namespaceName" | "inside">;
  /** Must exist before pods: the namespace's fences. */
  readonly before: readonly pulumi.Resource[];
}

/**
 * A service beside a run: pods all alike, one name in front of them, and an autoscaler that decides how many there are. Who may call it
 * stands among the namespace's policies (components/run/policies.ts), which come before its pods. A pod that ends or never starts is not
 * the run's end: the run calls what is there.
 */
export class RunService extends Component {
  constructor(name: string, args: RunServiceArgs, options: pulumi.ComponentResourceOptions) {
    const { plan, service, objectLabels, run, before } = args;
    super("services:RunService", name, { port: service.port, ...service.replicas }, options);
    const role: Role = `service-${service.name}`;
    const labels = labelled(plan.labels, role);
    const metadata = {
      name: service.name,
      namespace: run.namespaceName,
      labels: labelled(objectLabels, role),
    };

    new kubernetes.core.v1.Service(
      this.childName("service"),
      {
        metadata: { ...metadata, annotations: SKIP_AWAIT },
        spec: {
          type: "ClusterIP",
          selector: selects(role),
          // The same port behind: network policies judge after the translation.
          ports: [{ name: "http", port: service.port, targetPort: service.port, protocol: "TCP" }],
        },
      },
      this.childOptions(run.inside),
    );

    new kubernetes.policy.v1.PodDisruptionBudget(
      this.childName("budget"),
      {
        metadata,
        spec: {
          // One at a time, so that a drain gets on even where there is one only.
          maxUnavailable: 1,
          selector: { matchLabels: selects(role) },
          unhealthyPodEvictionPolicy: "AlwaysAllow",
        },
      },
      this.childOptions(run.inside),
    );

    // Not deleted with its namespace but before it, as Job and StatefulSet are, so that its pods are told to stop at once.
    const deployment = new kubernetes.apps.v1.Deployment(
      this.childName("deployment"),
      {
        metadata: { ...metadata, annotations: SKIP_AWAIT },
        spec: {
          // Never where there is an autoscaler: each update would set it back (https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#migrating-deployments-and-statefulsets-to-horizontal-autoscaling).
          ...(service.scaleOn === undefined ? { replicas: service.replicas.min } : {}),
          revisionHistoryLimit: 0,
          // The quota has room for the most replicas, and none for one more.
          strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } },
          selector: { matchLabels: selects(role) },
          template: { metadata: { labels }, spec: servicePod(service, selects(role)) },
        },
      },
      this.childOptions({ dependsOn: [...before], ignoreChanges: FENCE_STAYS }),
    );

    const { scaleOn } = service;
    if (scaleOn !== undefined) {
      new kubernetes.autoscaling.v2.HorizontalPodAutoscaler(
        this.childName("autoscaler"),
        {
          metadata: { ...metadata, annotations: SKIP_AWAIT },
          spec: autoscalerSpec(service.replicas, scaleOn, deployment.metadata.name),
        },
        this.childOptions(run.inside),
      );
    }
    this.seal({ deployment: deployment.metadata.name });
  }
}
