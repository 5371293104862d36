import * as kubernetes from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { Plan } from "../../schema/plan.ts";
import { Component } from "../core/component.ts";
import { FENCE_STAYS, type Labels, labelled, selects } from "../core/labels.ts";
import type { RunNamespace } from "./namespace.ts";
import { podSpec } from "./pod.ts";

/** What the coordinator and the workers are made from. */
export interface ClusterPartArgs {
  readonly plan: Plan;
  /** Type token of the component. */
  readonly token: `${string}:${string}`;
  /** Those of the plan with the fence, for all but pods. */
  readonly objectLabels: Labels;
  readonly run: RunNamespace;
  /** Must exist before pods: what they mount, and the namespace's fences. */
  readonly before: readonly pulumi.Resource[];
}

/**
 * The helper watches the pods itself; the engine must not hold the update until they are ready. Deletes don't wait either, and
 * that is why Job and StatefulSet are deleted one by one although the namespace would take them along: the namespace controller
 * looks 5 s after the delete and, where pods are still there, again 5 s later (namespaceDeletionGracePeriod in
 * pkg/controller/namespace). So the pods are told to stop before, and are gone when it looks.
 */
export const SKIP_AWAIT = { "pulumi.com/skipAwait": "true" };

/** Keeps autoscalers from removing the driver's node: unlike a worker's, its loss is the run's. */
const DO_NOT_DISRUPT = {
  "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
  "karpenter.sh/do-not-disrupt": "true",
};

/**
 * Seconds by which the Job's own deadline comes later than the run's. The helper ends the run at its deadline, counted from the
 * submission, and takes the logs along; the Job's deadline deletes the pod with its logs, and is for when the helper is gone.
 */
const BACKSTOP = 60;

/** The driver (main container) and its sidecars in one pod of one Job, with the Service by which workers find them. */
export class Coordinator extends Component {
  readonly jobName: pulumi.Output<string>;

  constructor(name: string, args: ClusterPartArgs, options: pulumi.ComponentResourceOptions) {
    super(args.token, name, {}, options);
    const { plan, objectLabels, run, before } = args;
    const { coordinator } = plan;
    const labels = labelled(plan.labels, "coordinator");
    const metadata = {
      name: coordinator.name,
      namespace: run.namespaceName,
      labels: labelled(objectLabels, "coordinator"),
    };

    // With a cluster address and not headless: until the pod has an address, a headless name does not resolve and CoreDNS keeps
    // that negative answer for seconds; a cluster address resolves at once, and connections are retried by the workers.
    new kubernetes.core.v1.Service(
      this.childName("service"),
      {
        metadata: { ...metadata, annotations: SKIP_AWAIT },
        spec: {
          type: "ClusterIP",
          selector: selects("coordinator"),
          publishNotReadyAddresses: true,
          ports: [...coordinator.sidecars, coordinator.driver]
            .flatMap(({ ports }) => ports)
            .map(({ name, port }) => ({
              name,
              port,
              targetPort: port,
              protocol: "TCP",
            })),
        },
      },
      this.childOptions(run.inside),
    );

    // Where its loss is the run's, the drain of its node waits until the run has ended or was moved. `minAvailable`, since
    // `maxUnavailable` is not supported for the pods of a Job; a pod that never became ready must not hold up the drain of its node
    // (https://kubernetes.io/docs/tasks/run-application/configure-pdb/).
    if (plan.kubernetes === undefined) {
      new kubernetes.policy.v1.PodDisruptionBudget(
        this.childName("budget"),
        {
          metadata,
          spec: {
            minAvailable: 1,
            selector: { matchLabels: selects("coordinator") },
            unhealthyPodEvictionPolicy: "AlwaysAllow",
          },
        },
        this.childOptions(run.inside),
      );
    }

    const job = new kubernetes.batch.v1.Job(
      this.childName("job"),
      {
        metadata: { ...metadata, annotations: SKIP_AWAIT },
        spec: {
          // One try: the helper decides about another one, with a whole new cluster. Unless the engine itself finds what it needs to go
          // on: then its container starts again where it was, and on another node where that is lost.
          backoffLimit: plan.kubernetes?.restarts ?? 0,
          completions: 1,
          parallelism: 1,
          podReplacementPolicy: "Failed",
          ...(plan.deadlines.run === undefined
            ? {}
            : { activeDeadlineSeconds: plan.deadlines.run + BACKSTOP }),
          template: {
            metadata: { labels, annotations: DO_NOT_DISRUPT },
            spec: {
              ...podSpec(plan, {
                ...coordinator,
                account: "coordinator",
                labels,
                sidecars: coordinator.sidecars,
                main: coordinator.driver,
              }),
              restartPolicy: plan.kubernetes === undefined ? "Never" : "OnFailure",
            },
          },
        },
      },
      this.childOptions({ dependsOn: [...before], ignoreChanges: FENCE_STAYS }),
    );
    this.jobName = job.metadata.name;
    this.seal({ job: this.jobName });
  }
}
