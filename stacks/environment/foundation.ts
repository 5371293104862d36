import type * as kubernetes from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { Labels } from "../../components/core/labels.ts";
import type { Placement } from "../../components/platform/placement.ts";
import type { Connection } from "../../schema/connection.ts";
import type { Egress } from "../../schema/contract.ts";
import type { EksWorker, ExistingWorker } from "../../schema/environment/index.ts";
import type { NodeAllocatable } from "./allocatable.ts";

/** What an environment knows of itself before it has made anything. */
export interface Identity {
  /** The stack's name, and the environment's. */
  readonly name: string;
  /** Labels of its Kubernetes objects, and tags of its cloud resources. */
  readonly labels: Labels;
}

/** The cluster that the rest of the environment stands on. */
export interface Foundation {
  readonly provider: kubernetes.Provider;
  /** UID of namespace kube-system. */
  readonly clusterId: pulumi.Input<string>;
  /** `status.allocatable` of the nodes that pools name, by node name. */
  readonly nodes: pulumi.Input<readonly (readonly [string, NodeAllocatable])[]>;
  /** Storage classes that the platform made. */
  readonly storageClasses: pulumi.Input<readonly string[]>;
  /** Image repositories, as name and URL. */
  readonly repositories: pulumi.Input<readonly (readonly [string, string])[]>;
  /** Where the config wants a worker. */
  readonly worker?: WorkerGround;
}

/** What a worker stands on, as the kind of environment has it. */
export interface WorkerGround {
  readonly config: EksWorker | ExistingWorker;
  /** Pulumi's state of the job stacks. */
  readonly state: string;
  readonly plugin: Connection["pulumi"]["kubernetesPlugin"];
  readonly s3:
    | { readonly by: "secret"; readonly profile: string }
    | { readonly by: "web-identity"; readonly roleArn: pulumi.Input<string> };
  /** All that its pods may reach. */
  readonly egress: readonly Egress[];
  readonly placement: Placement;
  /** What its pods need beside the cluster. */
  readonly after: pulumi.Resource[];
}
