import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { Component } from "../core/component.ts";
import { type Labels, labelled } from "../core/labels.ts";
import { NAMESPACE_FENCE, OBJECT_FENCE } from "./fence-rules.ts";

/** Arguments of a {@link FencePolicy}. */
export interface FencePolicyArgs {
  /** Before the names of the policies, which are the cluster's: `mayfly`. */
  readonly prefix: string;
  readonly labels: Labels;
  readonly provider: kubernetes.Provider;
}

const POLICIES = { "fence-objects": OBJECT_FENCE, "fence-namespaces": NAMESPACE_FENCE };

/**
 * Fences stale helpers off at the API server: in a run's namespace only what carries the fence of the present holder of the run's
 * lease may be made or changed (docs/leases.md). Once for each cluster.
 */
export class FencePolicy extends Component {
  /** Names of the bound policies. */
  readonly policies: pulumi.Output<string[]>;

  constructor(name: string, args: FencePolicyArgs, options: pulumi.ComponentResourceOptions = {}) {
    super(
      "platform:FencePolicy",
      name,
      { prefix: args.prefix },
      pulumi.mergeOptions(options, { providers: [args.provider] }),
    );
    const labels = labelled(args.labels, "platform");
    const bound = Object.entries(POLICIES).map(([policy, spec]) => {
      const metadata = { name: `${args.prefix}-${policy}`, labels };
      const { metadata: made } = new kubernetes.admissionregistration.v1.ValidatingAdmissionPolicy(
        this.childName(policy),
        { metadata, spec },
        this.childOptions(),
      );
      return new kubernetes.admissionregistration.v1.ValidatingAdmissionPolicyBinding(
        this.childName(`${policy}-binding`),
        { metadata, spec: { policyName: made.name, validationActions: ["Deny"] } },
        this.childOptions(),
      ).metadata.name;
    });
    this.policies = pulumi.all(bound);
    this.seal({ policies: this.policies });
  }
}
