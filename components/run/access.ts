import * as kubernetes from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { KubernetesAccess } from "../../schema/plan.ts";
import { Component } from "../core/component.ts";
import { type Labels, labelled, selectsEngine } from "../core/labels.ts";
import type { RunNamespace } from "./namespace.ts";
import { policyPeer } from "./policies.ts";
import { ACCOUNTS } from "./token.ts";

/** Arguments of a {@link RunAccess}. */
export interface RunAccessArgs {
  readonly access: KubernetesAccess;
  readonly labels: Labels;
  readonly run: RunNamespace;
}

/**
 * What an engine that keeps itself alive by way of Kubernetes needs in its run's namespace: an account for the coordinator and one for the
 * workers, bound to the roles that the environment made for that, and a way to the API. All of it goes with the namespace, as do the
 * objects that the engine makes.
 */
export class RunAccess extends Component {
  constructor(
    name: string,
    { access, labels: common, run }: RunAccessArgs,
    options: pulumi.ComponentResourceOptions,
  ) {
    super("run:RunAccess", name, { roles: access.roles }, options);
    const labels = labelled(common, "run");
    const inside = this.childOptions(run.inside);
    const metadata = (objectName: string) => ({ name: objectName, namespace: run.namespaceName, labels });
    for (const account of ACCOUNTS) {
      const made = new kubernetes.core.v1.ServiceAccount(
        this.childName(`${account}-account`),
        { metadata: metadata(account), automountServiceAccountToken: false },
        inside,
      );
      new kubernetes.rbac.v1.RoleBinding(
        this.childName(`${account}-binding`),
        {
          metadata: metadata(account),
          roleRef: {
            apiGroup: "rbac.authorization.k8s.io",
            kind: "ClusterRole",
            name: access.roles[account],
          },
          subjects: [{ kind: "ServiceAccount", name: made.metadata.name, namespace: run.namespaceName }],
        },
        inside,
      );
    }
    new kubernetes.networking.v1.NetworkPolicy(
      this.childName("kubernetes-api"),
      {
        metadata: metadata("kubernetes-api"),
        spec: {
          podSelector: selectsEngine,
          policyTypes: ["Egress"],
          egress: [{ to: access.api.peers.map(policyPeer), ports: [...access.api.ports] }],
        },
      },
      inside,
    );
    this.seal({ accounts: [...ACCOUNTS] });
  }
}
