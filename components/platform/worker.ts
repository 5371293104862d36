import { createHash } from "node:crypto";
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Egress } from "../../schema/contract.ts";
import { Component } from "../core/component.ts";
import { type Labels, labelled, POD_SECURITY_RESTRICTED } from "../core/labels.ts";
import { policySpecs } from "../run/policies.ts";
import type { Placement } from "./placement.ts";
import { type WorkerPod, workerPodSpec } from "./worker-pod.ts";
import { namespacePolicy, objectPolicy } from "./worker-policies.ts";
import { tenantRules, workerRules } from "./worker-rights.ts";

/** Arguments of a {@link Worker}. */
export interface WorkerArgs {
  /** Its namespace, and the beginning of names that are the cluster's. */
  readonly namespace: string;
  readonly environment: string;
  readonly image: WorkerPod["image"];
  readonly replicas: number;
  /** Runs at a time in each replica. */
  readonly slots: number;
  /** In the namespace, made by somebody else and not by Pulumi: keys `pgpass`, `passphrase`, and `s3-credentials` where S3 is by secret. */
  readonly secret: string;
  readonly s3: WorkerPod["s3"];
  /** Address of the ledger, without a password. */
  readonly ledger: string;
  /** Files in the pod's `/etc/mayfly`, by name; no secrets. */
  readonly documents: pulumi.Input<Readonly<Record<string, string>>>;
  /** What its pods may reach: API server, DNS, ledger, S3. */
  readonly egress: readonly Egress[];
  readonly tenants: readonly { readonly id: string; readonly namespace: pulumi.Input<string> }[];
  /** Names of the admission policies that fence stale helpers off. */
  readonly fencePolicies: pulumi.Input<string[]>;
  /** Names of the roles that it may bind for streams with high availability; none where left out. */
  readonly stateRoles?: pulumi.Input<string[]> | undefined;
  readonly placement: Placement;
  readonly labels: Labels;
  readonly provider: kubernetes.Provider;
}

export const WORKER_NAMESPACE = "mayfly-worker";
/** Its service account, and the name of what else is in the namespace. */
export const WORKER_ACCOUNT = "worker";
const NAME = WORKER_ACCOUNT;

/**
 * Mayfly itself on the cluster: `mayfly work` as a Deployment, in a namespace of its own. It takes runs from the ledger and may do in the cluster
 * what that takes and no more (worker-rights.ts, worker-policies.ts).
 */
export class Worker extends Component {
  readonly namespace: pulumi.Output<string>;

  constructor(name: string, args: WorkerArgs, options: pulumi.ComponentResourceOptions = {}) {
    const { replicas, slots, image } = args;
    super(
      "platform:Worker",
      name,
      { namespace: args.namespace, image: image.reference, replicas, slots },
      pulumi.mergeOptions(options, { providers: [args.provider] }),
    );
    const labels = labelled(args.labels, "platform");

    // 1. Its namespace, with nothing in and little out.
    const namespace = new kubernetes.core.v1.Namespace(
      this.childName("namespace"),
      { metadata: { name: args.namespace, labels: { ...labels, ...POD_SECURITY_RESTRICTED } } },
      this.childOptions(),
    );
    this.namespace = namespace.metadata.name;
    const policies = this.#network(args, labels);

    // 2. Who it is and what it may do.
    const account = new kubernetes.core.v1.ServiceAccount(
      this.childName("account"),
      { metadata: this.#metadata(NAME, labels), automountServiceAccountToken: false },
      this.childOptions(),
    );
    this.#rights(args, labels, account, this.#bounds(args, labels));

    // 3. The pods.
    this.#pods(args, labels, account, policies);
    this.seal({ namespace: this.namespace });
  }

  #metadata(name: string, labels: Labels) {
    return { name, namespace: this.namespace, labels };
  }

  #network(args: WorkerArgs, labels: Labels): pulumi.Resource[] {
    const { "deny-all": denyAll, egress } = policySpecs([], args.egress);
    return Object.entries({ "deny-all": denyAll, egress }).map(
      ([policy, spec]) =>
        new kubernetes.networking.v1.NetworkPolicy(
          this.childName(policy),
          { metadata: this.#metadata(policy, labels), spec },
          this.childOptions(),
        ),
    );
  }

  /** Admission policies that come before the rights that they narrow. */
  #bounds(args: WorkerArgs, labels: Labels): pulumi.Resource[] {
    const bounds = {
      user: `system:serviceaccount:${args.namespace}:${NAME}`,
      environment: args.environment,
      tenants: args.tenants.map(({ id }) => id),
    };
    const specs = { namespaces: namespacePolicy(bounds), objects: objectPolicy(bounds) };
    return Object.entries(specs).map(([policy, spec]) => {
      const metadata = { name: `${args.namespace}-${policy}`, labels };
      const made = new kubernetes.admissionregistration.v1.ValidatingAdmissionPolicy(
        this.childName(`${policy}-policy`),
        { metadata, spec },
        this.childOptions(),
      );
      return new kubernetes.admissionregistration.v1.ValidatingAdmissionPolicyBinding(
        this.childName(`${policy}-policy-binding`),
        { metadata, spec: { policyName: made.metadata.name, validationActions: ["Deny"] } },
        this.childOptions(),
      );
    });
  }

  #rights(
    args: WorkerArgs,
    labels: Labels,
    account: kubernetes.core.v1.ServiceAccount,
    bounds: pulumi.Resource[],
  ): void {
    const { metadata } = account;
    const subjects = [{ kind: "ServiceAccount", name: metadata.name, namespace: metadata.namespace }];
    const role = (suffix: string, name: string, rules: ReturnType<typeof workerRules>) => ({
      apiGroup: "rbac.authorization.k8s.io",
      kind: "ClusterRole",
      name: new kubernetes.rbac.v1.ClusterRole(
        this.childName(suffix),
        { metadata: { name, labels }, rules },
        this.childOptions(),
      ).metadata.name,
    });

    new kubernetes.rbac.v1.ClusterRoleBinding(
      this.childName("role-binding"),
      {
        metadata: { name: args.namespace, labels },
        roleRef: role("role", args.namespace, workerRules(args.fencePolicies, args.stateRoles)),
        subjects,
      },
      this.childOptions({ dependsOn: bounds }),
    );
    const tenantRole = role("tenant-role", `${args.namespace}-tenant`, tenantRules());
    for (const { id, namespace } of args.tenants) {
      new kubernetes.rbac.v1.RoleBinding(
        this.childName(`tenant-${id}`),
        {
          metadata: { name: args.namespace, namespace, labels: { ...labels, "mayfly.dev/tenant": id } },
          roleRef: tenantRole,
          subjects,
        },
        this.childOptions(),
      );
    }
  }

  #pods(
    args: WorkerArgs,
    labels: Labels,
    account: kubernetes.core.v1.ServiceAccount,
    before: pulumi.Resource[],
  ): void {
    const selector = { "app.kubernetes.io/name": "mayfly-worker" };
    const documents = pulumi.output(args.documents);
    const config = new kubernetes.core.v1.ConfigMap(
      this.childName("connection"),
      { metadata: this.#metadata("connection", labels), data: documents },
      this.childOptions(),
    );
    // One may go at a time: its runs go on with the others, or wait for it to come back.
    const budget = new kubernetes.policy.v1.PodDisruptionBudget(
      this.childName("budget"),
      {
        metadata: this.#metadata(NAME, labels),
        spec: {
          maxUnavailable: 1,
          selector: { matchLabels: selector },
          unhealthyPodEvictionPolicy: "AlwaysAllow",
        },
      },
      this.childOptions(),
    );
    new kubernetes.apps.v1.Deployment(
      this.childName("deployment"),
      {
        metadata: {
          ...this.#metadata(NAME, labels),
          // Its pods wait for their Secret, which somebody puts into the namespace once that is there.
          annotations: { "pulumi.com/skipAwait": "true" },
        },
        spec: {
          replicas: args.replicas,
          selector: { matchLabels: selector },
          revisionHistoryLimit: 3,
          strategy: { type: "RollingUpdate", rollingUpdate: rollout(args.replicas) },
          template: {
            metadata: {
              labels: { ...labels, ...selector },
              // Read at the start only, so another connection means other pods.
              annotations: { "mayfly.dev/connection": documents.apply(digest) },
            },
            spec: workerPodSpec({
              image: args.image,
              slots: args.slots,
              serviceAccountName: account.metadata.name,
              config: config.metadata.name,
              secret: args.secret,
              s3: args.s3,
              ledger: args.ledger,
              placement: args.placement,
              selector,
            }),
          },
        },
      },
      // Its policies first, and what lets its nodes be drained.
      this.childOptions({ dependsOn: [...before, budget] }),
    );
  }
}

/**
 * One after another, and in the place of the old one: the others go on with its runs, and a full cluster has no room for one more. Where there
 * is one only, the new one comes first: two versions share a ledger without harm.
 */
const rollout = (replicas: number): { readonly maxSurge: number; readonly maxUnavailable: number } =>
  replicas > 1 ? { maxSurge: 0, maxUnavailable: 1 } : { maxSurge: 1, maxUnavailable: 0 };

/** Short, and the same for the same files. */
const digest = (documents: Readonly<Record<string, string>>): string =>
  createHash("sha256")
    .update(JSON.stringify(Object.entries(documents).sort()))
    .digest("hex")
    .slice(0, 16);
