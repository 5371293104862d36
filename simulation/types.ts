/** What a Pulumi property is once it is parsed. */
export type Json = null | boolean | number | string | readonly Json[] | JsonRecord;

/** A JSON object. */
export interface JsonRecord {
  readonly [key: string]: Json;
}

/** Stands for a secret in {@link Step} inputs and outputs: values never leave the engine in clear. */
export const SECRET = "[secret]";

/** Stands for a value that is only known once it is applied. */
export const UNKNOWN = "[unknown]";

/** Where a stack's config comes from: the text of a `Pulumi.<stack>.yaml`, or its path. The file itself is never written to. */
export type ConfigSource = { readonly text: string } | { readonly file: string };

/** Which project to run, and where to keep its simulated state. */
export interface SimulationOptions {
  /** Folder with Pulumi.yaml. */
  readonly projectDir: string;
  /** Name of the stack, such as `prod`. */
  readonly stack: string;
  /** Default: `Pulumi.<stack>.yaml` in `projectDir`; a stack without such a file has no config. */
  readonly config?: ConfigSource | undefined;
  /** Where the state is kept between simulations. Default: a temporary folder that is removed by {@link Simulation.close}. */
  readonly stateDir?: string | undefined;
  /** More variables for the program; cloud credentials are refused. */
  readonly env?: Readonly<Record<string, string>> | undefined;
}

/** How one operation is run. */
export interface OperationOptions {
  /** Executables that the engine starts as policy packs, with its own address as argument (docs/simulation.md). */
  readonly policyPacks?: readonly string[] | undefined;
  /** Refresh the state before the operation. */
  readonly refresh?: boolean | undefined;
  /** Stops the operation; it then fails with UserError `simulation-stopped`. */
  readonly signal?: AbortSignal | undefined;
  /** Called for each step as the engine reports it, for progress. */
  readonly onStep?: ((step: Step) => void) | undefined;
}

/**
 * What the engine does, or would do, with a resource. `replace` is one step here, though the engine makes three of it; `read` is a
 * resource that exists already and is only looked up (`X.get`).
 */
export type Op = "create" | "update" | "replace" | "delete" | "same" | "read" | "refresh";

/** One property that differs. */
export interface Difference {
  /** Such as `scalingConfig.maxSize` or `tags["mayfly.dev/pool"]`. */
  readonly path: string;
  readonly kind: "add" | "delete" | "update";
  /** Whether this difference alone makes the engine replace the resource. */
  readonly replaces: boolean;
}

/** One resource and what happens to it. */
export interface Step {
  readonly urn: string;
  /** Type token, such as `aws:ec2/vpc:Vpc`. */
  readonly type: string;
  /** The name in the program: the last part of the URN. */
  readonly name: string;
  /** URN of the parent; undefined for the stack itself. */
  readonly parent: string | undefined;
  readonly op: Op;
  /** False for components: they exist in Pulumi only. */
  readonly custom: boolean;
  readonly protect: boolean;
  /** URN and id of the provider, `urn::id`; undefined for components. */
  readonly provider: string | undefined;
  /** Top-level properties that force the replacement. */
  readonly replaceKeys: readonly string[];
  /** Whether the old one goes before the new one comes, as where the name is fixed. Only in a replacement. */
  readonly deleteBeforeReplace: boolean;
  readonly differences: readonly Difference[];
  /** Undefined where there was none before. Secrets are {@link SECRET}, values not known yet {@link UNKNOWN}. */
  readonly oldInputs: JsonRecord | undefined;
  /** Undefined where the resource is deleted. */
  readonly newInputs: JsonRecord | undefined;
  /** What the resource will report, as far as it is known; undefined where it is deleted. */
  readonly outputs: JsonRecord | undefined;
}

/** A message of the engine, a plugin, a policy pack or the program. */
export interface Diagnostic {
  readonly severity: "info" | "warning" | "error";
  readonly message: string;
  readonly urn: string | undefined;
}

/** A policy that a resource or the stack breaks. */
export interface PolicyViolation {
  readonly pack: string;
  readonly policy: string;
  readonly level: "advisory" | "mandatory" | "remediate" | "disabled";
  readonly message: string;
  /** Undefined for a policy on the whole stack. */
  readonly urn: string | undefined;
}

/** What one operation did, or, for a preview, would do. */
export interface OperationResult {
  /** In the order in which the engine came to them. Includes components, the stack itself and providers. */
  readonly steps: readonly Step[];
  readonly diagnostics: readonly Diagnostic[];
  readonly violations: readonly PolicyViolation[];
  /** False where the program, a plugin or a mandatory policy failed; `diagnostics` and `violations` say why. */
  readonly succeeded: boolean;
  /** Outputs of the stack after an `up`, or as far as known in a preview; secrets masked. */
  readonly outputs: JsonRecord;
  /** Types that the stand-in plugins only echo, since nobody modelled them. */
  readonly unmodelled: readonly string[];
  readonly milliseconds: number;
}

/** A stack on the real engine with simulated clouds. Operations run one at a time. */
export interface Simulation {
  /** Every output that is made of a simulation says this; one line. */
  readonly notice: string;
  readonly preview: (options?: OperationOptions) => Promise<OperationResult>;
  readonly up: (options?: OperationOptions) => Promise<OperationResult>;
  readonly refresh: (options?: OperationOptions) => Promise<OperationResult>;
  readonly destroy: (options?: OperationOptions) => Promise<OperationResult>;
  /** What a preview of the destruction would delete. */
  readonly previewDestroy: (options?: OperationOptions) => Promise<OperationResult>;
  /** Takes another config for the next operations: an edit of the stack's file. */
  readonly configure: (config: ConfigSource) => Promise<void>;
  /** URNs in the state, in the engine's order. */
  readonly resources: () => Promise<readonly string[]>;
  /** Removes what was temporary. */
  readonly close: () => Promise<void>;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
}
