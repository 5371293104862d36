import * as pulumi from "@pulumi/pulumi";

/**
 * Base of every Mayfly component: one form of type token, of child names and of child options.
 *
 * A constructor makes its children with {@link childName} and {@link childOptions}, assigns its public fields and ends with
 * {@link seal}; the graph invariants of test/harness fail for a component that forgot one of them.
 */
export abstract class Component extends pulumi.ComponentResource {
  readonly #name: string;
  /** What all children wait for. */
  readonly #after: Pick<pulumi.ResourceOptions, "dependsOn">;

  /**
   * @param token `<folder>:<Class>`; the type becomes `mayfly:<folder>:<Class>`. Never changed once released: it is part of
   *   every child's URN.
   * @param inputs What a reviewer wants to see of the arguments. Pulumi keeps it in the state file
   *   (https://www.pulumi.com/docs/iac/concepts/components/), so never pass secrets or whole argument objects.
   */
  protected constructor(
    token: `${string}:${string}`,
    name: string,
    inputs: pulumi.Inputs,
    options: pulumi.ComponentResourceOptions,
  ) {
    super(`mayfly:${token}`, name, inputs, options);
    this.#name = name;
    // The SDK itself makes only the component wait, which is no more than a name, and its children go ahead.
    this.#after = options.dependsOn === undefined ? {} : { dependsOn: options.dependsOn };
  }

  /** The logical name of a child: the component's own name comes first, so that names are unique in the stack. */
  protected childName(suffix: string): string {
    return `${this.#name}-${suffix}`;
  }

  /**
   * Options of a child resource: `extra` with this component as parent, whatever `extra` says. A child waits for what the
   * component waits for (`dependsOn`).
   */
  protected childOptions(extra: pulumi.CustomResourceOptions = {}): pulumi.CustomResourceOptions {
    return pulumi.mergeOptions(extra, { parent: this, ...this.#after });
  }

  /** Like {@link childOptions}, for a child that is a component itself. */
  protected componentOptions(extra: pulumi.ComponentResourceOptions = {}): pulumi.ComponentResourceOptions {
    return pulumi.mergeOptions(extra, { parent: this, ...this.#after });
  }

  /** Ends the constructor: registers the component's outputs, without which the engine takes it as still being made. */
  protected seal(outputs: pulumi.Inputs): void {
    this.registerOutputs(outputs);
  }
}
