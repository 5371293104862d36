import * as kubernetes from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { Component } from "../core/component.ts";
import { labelled, selects } from "../core/labels.ts";
import { type ClusterPartArgs, SKIP_AWAIT } from "./coordinator.ts";
import { podSpec } from "./pod.ts";

/** The workers, all asked for at once: one round of scale-up from zero nodes, and the same names after a restart. */
export class Workers extends Component {
  readonly statefulSetName: pulumi.Output<string>;

  constructor(name: string, args: ClusterPartArgs, options: pulumi.ComponentResourceOptions) {
    super(args.token, name, { count: args.plan.workers.count }, options);
    const { plan, objectLabels, run, before } = args;
    const { workers } = plan;
    const labels = labelled(plan.labels, "worker");

    // A node that is drained, or several, stop so many at a time; one that never became ready must not hold that up.
    if (workers.evictable !== undefined) {
      new kubernetes.policy.v1.PodDisruptionBudget(
        this.childName("budget"),
        {
          metadata: {
            name: workers.name,
            namespace: run.namespaceName,
            labels: labelled(objectLabels, "worker"),
          },
          spec: {
            maxUnavailable: workers.evictable,
            selector: { matchLabels: selects("worker") },
            unhealthyPodEvictionPolicy: "AlwaysAllow",
          },
        },
        this.childOptions(run.inside),
      );
    }

    const set = new kubernetes.apps.v1.StatefulSet(
      this.childName("set"),
      {
        metadata: {
          name: workers.name,
          namespace: run.namespaceName,
          labels: labelled(objectLabels, "worker"),
          annotations: SKIP_AWAIT,
        },
        spec: {
          replicas: workers.count,
          podManagementPolicy: "Parallel",
          selector: { matchLabels: selects("worker") },
          template: {
            metadata: { labels },
            spec: {
              ...podSpec(plan, {
                ...workers,
                account: "workers",
                labels,
                sidecars: [],
                main: workers.container,
              }),
              restartPolicy: "Always",
            },
          },
        },
      },
      this.childOptions({ dependsOn: [...before] }),
    );
    this.statefulSetName = set.metadata.name;
    this.seal({ statefulSet: this.statefulSetName });
  }
}
