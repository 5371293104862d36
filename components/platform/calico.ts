import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { Component } from "../core/component.ts";
import { type Labels, labelled } from "../core/labels.ts";
import { calicoValues } from "./calico-values.ts";
import type { Placement } from "./placement.ts";

/** Arguments of {@link Calico}. */
export interface CalicoArgs {
  /** Version of both charts, such as `v3.33.1`. */
  readonly version: string;
  /** The system pool, for everything of Calico's that doesn't run on each node. */
  readonly placement: Placement;
  readonly labels: Labels;
  readonly provider: kubernetes.Provider;
}

const REPOSITORY = "https://docs.tigera.io/calico/charts";
const OPERATOR_NAMESPACE = "tigera-operator";

/**
 * Calico by the Tigera operator, for network policies only: addresses and routes stay with the VPC CNI. Calico's own
 * CustomResourceDefinitions are a chart of their own since 3.32 and come first.
 */
export class Calico extends Component {
  readonly operatorNamespace: pulumi.Output<string>;

  constructor(name: string, args: CalicoArgs, options: pulumi.ComponentResourceOptions = {}) {
    super(
      "platform:Calico",
      name,
      { version: args.version },
      pulumi.mergeOptions(options, { providers: [args.provider] }),
    );
    const labels = labelled(args.labels, "platform");
    const namespace = this.#namespace(labels);
    const annotation = this.#podAddresses(labels);
    const definitions = this.#release("definitions", args, namespace, {
      name: "calico-crds",
      chart: "crd.projectcalico.org.v1",
    });
    this.#release(
      "operator",
      args,
      namespace,
      { name: "calico", chart: "tigera-operator", values: calicoValues(args.placement, labels) },
      [definitions, annotation],
    );
    this.operatorNamespace = namespace.metadata.name;
    this.seal({ operatorNamespace: this.operatorNamespace });
  }

  /** Privileged, since the operator runs on the host's network: it must work before pods have one. */
  #namespace(labels: Record<string, string>): kubernetes.core.v1.Namespace {
    return new kubernetes.core.v1.Namespace(
      this.childName("namespace"),
      {
        metadata: {
          name: OPERATOR_NAMESPACE,
          labels: { ...labels, name: OPERATOR_NAMESPACE, "pod-security.kubernetes.io/enforce": "privileged" },
        },
      },
      this.childOptions(),
    );
  }

  /**
   * Lets the VPC CNI write a new pod's address into an annotation (its setting ANNOTATE_POD_IP), which reaches Calico seconds before
   * the pod's status does: https://docs.tigera.io/calico/latest/getting-started/kubernetes/managed-public-cloud/eks
   */
  #podAddresses(labels: Record<string, string>): pulumi.Resource {
    const name = "mayfly-vpc-cni-pod-annotations";
    const role = new kubernetes.rbac.v1.ClusterRole(
      this.childName("pod-annotations"),
      { metadata: { name, labels }, rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["patch"] }] },
      this.childOptions(),
    );
    return new kubernetes.rbac.v1.ClusterRoleBinding(
      this.childName("pod-annotations-binding"),
      {
        metadata: { name, labels },
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role.metadata.name },
        subjects: [{ kind: "ServiceAccount", name: "aws-node", namespace: "kube-system" }],
      },
      this.childOptions(),
    );
  }

  #release(
    suffix: string,
    args: CalicoArgs,
    namespace: kubernetes.core.v1.Namespace,
    chart: Pick<kubernetes.helm.v3.ReleaseArgs, "name" | "chart" | "values">,
    dependsOn: pulumi.Resource[] = [],
  ): kubernetes.helm.v3.Release {
    return new kubernetes.helm.v3.Release(
      this.childName(suffix),
      {
        ...chart,
        namespace: namespace.metadata.name,
        version: args.version,
        repositoryOpts: { repo: REPOSITORY },
      },
      this.childOptions({ dependsOn }),
    );
  }
}
