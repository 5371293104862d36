import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { Component } from "../core/component.ts";
import { type Labels, labelled } from "../core/labels.ts";
import { fenceRules } from "./fence-rules.ts";

/** Arguments of a {@link FencePolicy}. */
export interface FencePolicyArgs {
  /** The environment's name: the policies are its own, also where a cluster has several environments. */
  readonly environment: string;
  readonly labels: Labels;
  readonly provider: kubernetes.Provider;
}

/**
 * Fences stale helpers off at the API server: in a run's namespace only what carries the fence of the present holder of the run's
 * lease may be made or changed (docs/leases.md). Once for each environment.
 */
export class FencePolicy extends Component {
  /** Names of the policies, which are those of their bindings too. */
  readonly policies: pulumi.Output<string[]>;

  constructor(name: string, args: FencePolicyArgs, options: pulumi.ComponentResourceOptions = {}) {
    super(
      "platform:FencePolicy",
      name,
      { environment: args.environment },
      pulumi.mergeOptions(options, { providers: [args.provider] }),
    );
    const labels = labelled(args.labels, "platform");
    const bound = Object.entries(fenceRules(args.environment)).map(([policy, { spec, paramRef }]) => {
      const metadata = { name: `mayfly-${args.environment}-${policy}`, labels };
      const { metadata: made } = new kubernetes.admissionregistration.v1.ValidatingAdmissionPolicy(
        this.childName(policy),
        { metadata, spec },
        this.childOptions(),
      );
      return new kubernetes.admissionregistration.v1.ValidatingAdmissionPolicyBinding(
        this.childName(`${policy}-binding`),
        {
          metadata,
          spec: {
            policyName: made.name,
            validationActions: ["Deny"],
            ...(paramRef === undefined ? {} : { paramRef }),
          },
        },
        this.childOptions(),
      ).metadata.name;
    });
    this.policies = pulumi.all(bound);
    this.seal({ policies: this.policies });
  }
}
