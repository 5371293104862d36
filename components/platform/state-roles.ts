import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { Component } from "../core/component.ts";
import { type Labels, labelled } from "../core/labels.ts";

/** Arguments of {@link StateRoles}. */
export interface StateRolesArgs {
  /** The environment's name: the roles are its own, also where a cluster has several environments. */
  readonly environment: string;
  readonly labels: Labels;
  readonly provider: kubernetes.Provider;
}

/**
 * What a JobManager that Kubernetes keeps alive does with config maps, by Flink 2.3.0 on the lab: without `patch` it can't stay the leader, without
 * `update` it can't complete a checkpoint; it deletes its job's when that has ended. It makes two, whose names only it knows.
 */
const WRITE = ["create", "delete", "get", "list", "patch", "update", "watch"];

/** TaskManagers look up who leads. */
const READ = ["get", "list", "watch"];

/**
 * Roles for streams with high availability by Kubernetes, which each such run binds to accounts of its own in its own namespace: a
 * binding there gives nothing anywhere else. They stand in the environment so that a worker may bind these two and make none.
 */
export class StateRoles extends Component {
  readonly coordinator: pulumi.Output<string>;
  readonly workers: pulumi.Output<string>;

  constructor(name: string, args: StateRolesArgs, options: pulumi.ComponentResourceOptions = {}) {
    super(
      "platform:StateRoles",
      name,
      { environment: args.environment },
      pulumi.mergeOptions(options, { providers: [args.provider] }),
    );
    const labels = labelled(args.labels, "platform");
    const role = (suffix: string, verbs: string[]): pulumi.Output<string> =>
      new kubernetes.rbac.v1.ClusterRole(
        this.childName(suffix),
        {
          metadata: { name: `mayfly-${args.environment}-state-${suffix}`, labels },
          rules: [{ apiGroups: [""], resources: ["configmaps"], verbs }],
        },
        this.childOptions(),
      ).metadata.name;
    this.coordinator = role("writer", WRITE);
    this.workers = role("reader", READ);
    this.seal({ coordinator: this.coordinator, workers: this.workers });
  }
}
