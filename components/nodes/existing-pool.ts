import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { Component } from "../core/component.ts";

/** Arguments of an {@link ExistingPool}. */
export interface ExistingPoolArgs {
  /** The pool's name, and the value of the label. */
  readonly pool: string;
  /** Names of its nodes. All must exist. */
  readonly nodes: readonly string[];
  readonly provider: kubernetes.Provider;
}

/** The label that places runs on a pool. */
export const POOL_LABEL = "mayfly.dev/pool";

/**
 * A pool of nodes that somebody else made: labels them, and does nothing else to them. When the pool goes, so does the label, and
 * the nodes stay. Where another tool or pool has set the label to something else, the update fails and says who.
 */
export class ExistingPool extends Component {
  readonly nodeSelector: Readonly<Record<string, string>>;

  constructor(name: string, args: ExistingPoolArgs, options: pulumi.ComponentResourceOptions = {}) {
    super(
      "nodes:ExistingPool",
      name,
      { pool: args.pool, nodes: [...args.nodes] },
      pulumi.mergeOptions(options, { providers: [args.provider] }),
    );
    this.nodeSelector = { [POOL_LABEL]: args.pool };
    for (const node of args.nodes) this.#label(node);
    this.seal({ nodeSelector: this.nodeSelector });
  }

  #label(node: string): void {
    // Labelling a node that isn't there would make it (https://github.com/pulumi/pulumi-kubernetes/issues/2194). Reading it first
    // ends with an error instead.
    const existing = kubernetes.core.v1.Node.get(
      this.childName(`existing-${node}`),
      node,
      this.childOptions(),
    );
    new kubernetes.core.v1.NodePatch(
      this.childName(node),
      { metadata: { name: node, labels: this.nodeSelector } },
      this.childOptions({ dependsOn: [existing] }),
    );
  }
}
