import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { Component } from "../core/component.ts";
import { type Labels, labelled } from "../core/labels.ts";
import { STARTUP_TAINT } from "../nodes/taints.ts";
import { type StartupTaintImages, taintPodSpec } from "./startup-taint-pod.ts";
import { taintPolicySpec } from "./startup-taint-policy.ts";

/** Arguments of a {@link StartupTaint}. */
export interface StartupTaintArgs {
  readonly images: StartupTaintImages;
  readonly labels: Labels;
  readonly provider: kubernetes.Provider;
}

/** Where the platform's own host-level pods run. */
export const SYSTEM_NAMESPACE = "mayfly-system";
const NAME = "startup-taint";

/**
 * Takes the start-up taint of components/nodes/taints.ts off a new node once Calico enforces policies on it. Nodes are Ready before that, and nobody else does it:
 * https://github.com/projectcalico/calico/issues/11331
 *
 * Its service account may write nodes, so an admission policy narrows that to this one taint, on the node that the pod runs on.
 */
export class StartupTaint extends Component {
  readonly namespace: pulumi.Output<string>;

  constructor(name: string, args: StartupTaintArgs, options: pulumi.ComponentResourceOptions = {}) {
    super(
      "platform:StartupTaint",
      name,
      { images: { ...args.images } },
      pulumi.mergeOptions(options, { providers: [args.provider] }),
    );
    const labels = labelled(args.labels, "platform");
    const namespace = this.#namespace(labels);
    this.namespace = namespace.metadata.name;
    const fence = this.#fence(labels);
    const account = this.#account(labels, namespace, fence);
    this.#pods(args, labels, account);
    this.seal({ namespace: this.namespace });
  }

  /** Privileged because of the host's network, from which alone Calico's health can be asked. */
  #namespace(labels: Labels): kubernetes.core.v1.Namespace {
    return new kubernetes.core.v1.Namespace(
      this.childName("namespace"),
      {
        metadata: {
          name: SYSTEM_NAMESPACE,
          labels: { ...labels, "pod-security.kubernetes.io/enforce": "privileged" },
        },
      },
      this.childOptions(),
    );
  }

  /** Comes before the rights that it narrows. */
  #fence(labels: Labels): pulumi.Resource {
    const metadata = { name: `mayfly-${NAME}`, labels };
    const policy = new kubernetes.admissionregistration.v1.ValidatingAdmissionPolicy(
      this.childName("policy"),
      { metadata, spec: taintPolicySpec(`system:serviceaccount:${SYSTEM_NAMESPACE}:${NAME}`, STARTUP_TAINT) },
      this.childOptions(),
    );
    return new kubernetes.admissionregistration.v1.ValidatingAdmissionPolicyBinding(
      this.childName("policy-binding"),
      { metadata, spec: { policyName: policy.metadata.name, validationActions: ["Deny"] } },
      this.childOptions(),
    );
  }

  #account(
    labels: Labels,
    namespace: kubernetes.core.v1.Namespace,
    fence: pulumi.Resource,
  ): kubernetes.core.v1.ServiceAccount {
    const account = new kubernetes.core.v1.ServiceAccount(
      this.childName("account"),
      {
        metadata: { name: NAME, namespace: namespace.metadata.name, labels },
        automountServiceAccountToken: false,
      },
      this.childOptions(),
    );
    const role = new kubernetes.rbac.v1.ClusterRole(
      this.childName("role"),
      {
        metadata: { name: `mayfly-${NAME}`, labels },
        rules: [{ apiGroups: [""], resources: ["nodes"], verbs: ["get", "patch"] }],
      },
      this.childOptions(),
    );
    new kubernetes.rbac.v1.ClusterRoleBinding(
      this.childName("role-binding"),
      {
        metadata: { name: `mayfly-${NAME}`, labels },
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role.metadata.name },
        subjects: [
          { kind: "ServiceAccount", name: account.metadata.name, namespace: account.metadata.namespace },
        ],
      },
      this.childOptions({ dependsOn: [fence] }),
    );
    return account;
  }

  #pods(args: StartupTaintArgs, labels: Labels, account: kubernetes.core.v1.ServiceAccount): void {
    const selector = { "app.kubernetes.io/name": NAME };
    new kubernetes.apps.v1.DaemonSet(
      this.childName("pods"),
      {
        metadata: {
          name: NAME,
          namespace: account.metadata.namespace,
          labels: { ...labels, ...selector },
          // On a new node it is not ready until Calico is: no reason to hold the update of an environment.
          annotations: { "pulumi.com/skipAwait": "true" },
        },
        spec: {
          selector: { matchLabels: selector },
          template: {
            metadata: { labels: { ...labels, ...selector } },
            spec: taintPodSpec(args.images, account.metadata.name, STARTUP_TAINT),
          },
        },
      },
      this.childOptions(),
    );
  }
}
