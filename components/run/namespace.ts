import * as kubernetes from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { Egress } from "../../schema/contract.ts";
import type { PlannedContainer, PlannedService, SparkPlan } from "../../schema/plan.ts";
import { Component } from "../core/component.ts";
import { FENCE_STAYS, type Labels, labelled, POD_SECURITY_RESTRICTED } from "../core/labels.ts";
import { SERVICE_ACCOUNT } from "./pod.ts";
import { policySpecs } from "./policies.ts";
import { limitRangeItems, type ObjectCounts, quotaHard, type Volumes } from "./quota.ts";

/** What a run's namespace must allow, and no more. */
export interface RunNamespaceArgs {
  readonly name: string;
  /** Of the namespace and what is in it beside pods. */
  readonly labels: Labels;
  readonly quota: SparkPlan["quota"];
  readonly counts: ObjectCounts;
  /** Each kind of container of the engine. */
  readonly engine: readonly PlannedContainer[];
  readonly volumes: Volumes;
  readonly egress: readonly Egress[];
  /** Beside the engine. */
  readonly services: readonly PlannedService[];
}

/**
 * The namespace of one run with all its fences: Pod Security, quota, limits, network policies, and a service account without
 * rights. Deleting the namespace removes everything in it, so the other objects are not deleted one by one.
 */
export class RunNamespace extends Component {
  readonly namespaceName: pulumi.Output<string>;
  readonly #namespace: kubernetes.core.v1.Namespace;

  constructor(name: string, args: RunNamespaceArgs, options: pulumi.ComponentResourceOptions) {
    super("run:RunNamespace", name, { namespace: args.name }, options);
    const labels = labelled(args.labels, "run");

    this.#namespace = new kubernetes.core.v1.Namespace(
      this.childName("namespace"),
      { metadata: { name: args.name, labels: { ...labels, ...POD_SECURITY_RESTRICTED } } },
      this.childOptions({ ignoreChanges: FENCE_STAYS }),
    );
    this.namespaceName = this.#namespace.metadata.name;
    const inside = this.childOptions(this.inside);
    const metadata = (objectName: string) => ({ name: objectName, namespace: this.namespaceName, labels });

    new kubernetes.core.v1.ResourceQuota(
      this.childName("quota"),
      {
        metadata: metadata("quota"),
        spec: { hard: quotaHard(args.quota, args.counts, args.volumes) },
      },
      // Another size of the run changes it.
      this.childOptions({ deletedWith: this.#namespace }),
    );
    // For the largest container that may exist.
    const containers = [...args.engine, ...args.services.map(({ container }) => container)];
    new kubernetes.core.v1.LimitRange(
      this.childName("limits"),
      { metadata: metadata("limits"), spec: { limits: limitRangeItems(containers, args.volumes) } },
      inside,
    );
    new kubernetes.core.v1.ServiceAccount(
      this.childName(SERVICE_ACCOUNT),
      { metadata: metadata(SERVICE_ACCOUNT), automountServiceAccountToken: false },
      inside,
    );
    const ports = args.engine.flatMap((container) => container.ports.map(({ port }) => port));
    for (const [policy, spec] of Object.entries(policySpecs(ports, args.egress, args.services))) {
      new kubernetes.networking.v1.NetworkPolicy(
        this.childName(policy),
        { metadata: metadata(policy), spec },
        inside,
      );
    }
    this.seal({ namespace: this.namespaceName });
  }

  /** Options of objects that are deleted with the namespace instead of one by one, and that no update of the run changes. */
  get inside(): Pick<pulumi.CustomResourceOptions, "deletedWith" | "ignoreChanges"> {
    return { deletedWith: this.#namespace, ignoreChanges: FENCE_STAYS };
  }
}
