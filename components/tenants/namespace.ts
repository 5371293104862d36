import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { Component } from "../core/component.ts";
import { type Labels, labelled, POD_SECURITY_RESTRICTED } from "../core/labels.ts";

/** Arguments of a {@link TenantNamespace}. */
export interface TenantNamespaceArgs {
  /** The tenant's id. */
  readonly tenant: string;
  readonly labels: Labels;
  readonly provider: kubernetes.Provider;
}

/** The name of a tenant's long-lived namespace. */
export const tenantNamespaceName = (tenant: string): string => `tenant-${tenant}`;

/**
 * The long-lived namespace of a tenant. It keeps what outlives runs, above all the tenant's Secrets; the helper copies those that
 * a run names into the run's own namespace. Nothing runs here.
 */
export class TenantNamespace extends Component {
  readonly namespaceName: pulumi.Output<string>;

  constructor(name: string, args: TenantNamespaceArgs, options: pulumi.ComponentResourceOptions = {}) {
    super(
      "tenants:TenantNamespace",
      name,
      { tenant: args.tenant },
      pulumi.mergeOptions(options, { providers: [args.provider] }),
    );
    const labels = labelled(args.labels, "tenant");
    const namespace = new kubernetes.core.v1.Namespace(
      this.childName("namespace"),
      {
        metadata: {
          name: tenantNamespaceName(args.tenant),
          labels: { ...labels, ...POD_SECURITY_RESTRICTED },
        },
      },
      this.childOptions(),
    );
    this.namespaceName = namespace.metadata.name;
    const metadata = (objectName: string) => ({ name: objectName, namespace: this.namespaceName, labels });
    new kubernetes.core.v1.ResourceQuota(
      this.childName("quota"),
      { metadata: metadata("quota"), spec: { hard: OBJECTS } },
      this.childOptions(),
    );
    new kubernetes.networking.v1.NetworkPolicy(
      this.childName("deny-all"),
      {
        metadata: metadata("deny-all"),
        spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"] },
      },
      this.childOptions(),
    );
    this.seal({ namespace: this.namespaceName });
  }
}

/** Secrets and little else. */
const OBJECTS: Readonly<Record<string, string>> = {
  pods: "0",
  secrets: "100",
  configmaps: "10",
  services: "0",
  "services.nodeports": "0",
  "services.loadbalancers": "0",
  persistentvolumeclaims: "0",
  replicationcontrollers: "0",
  resourcequotas: "1",
  "count/jobs.batch": "0",
  "count/cronjobs.batch": "0",
  "count/statefulsets.apps": "0",
  "count/deployments.apps": "0",
  "count/replicasets.apps": "0",
  "count/daemonsets.apps": "0",
  "count/ingresses.networking.k8s.io": "0",
};
