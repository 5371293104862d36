import type { Plan } from "../../schema/plan.ts";

/** A resource as people know it: no URNs leave this folder. */
export interface EngineResource {
  /** Pulumi type token such as `kubernetes:core/v1:Namespace`. */
  readonly kind: string;
  readonly name: string;
  /** create, update, replace, delete, same, read, … */
  readonly operation: string;
}

/** A rule of the policy pack that a resource breaks. */
export interface PolicyViolation {
  /** The engine refuses the resource. */
  readonly mandatory: boolean;
  /** Name of the rule. */
  readonly policy: string;
  /** What the rule wants, then, on lines of their own, what is wrong. */
  readonly message: string;
  /** The stack as a whole where left out. */
  readonly resource?: { readonly kind: string; readonly name: string };
}

/** What the engine tells while it works, in order. */
export type EngineEvent =
  | ({ readonly type: "started" } & EngineResource)
  | ({ readonly type: "done" } & EngineResource)
  | ({ readonly type: "failed" } & EngineResource)
  | {
      readonly type: "diagnostic";
      readonly severity: "info" | "warning" | "error";
      readonly message: string;
      /** What it is about; of the stack as a whole where left out. */
      readonly resource?: { readonly kind: string; readonly name: string };
    }
  | ({ readonly type: "policy" } & PolicyViolation)
  /** All steps are done. The operation's promise settles a little later, when the state is written. */
  | {
      readonly type: "summary";
      readonly seconds: number;
      readonly changes: Readonly<Record<string, number>>;
    };

/** Of one operation. */
export interface OperationOptions {
  /** Have the policy pack (policy/run) judge the resources of an `up` or a `preview`. It takes about a second more. */
  readonly policy?: boolean | undefined;
  /** Asks the engine to stop after what is in flight; then less gently, see command.ts. */
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: EngineEvent) => void) | undefined;
}

export interface UpOptions extends OperationOptions {
  /** Of the run's lease: what is made carries it as label `mayfly.dev/fence` (docs/leases.md). */
  readonly fence?: number | undefined;
}

/** A stack that the backend knows. */
export interface StackSummary {
  readonly stack: string;
  readonly resources: number | undefined;
  /** ISO 8601. */
  readonly updatedAt: string | undefined;
}

/**
 * The port to Pulumi. One engine serves one operation at a time on stacks of project `mayfly-job`; every operation rejects with
 * `EngineFailure` (errors.ts) only.
 */
export interface StackEngine {
  /** Creates the plan's stack, which must be new, empty. */
  readonly create: (plan: Plan) => Promise<void>;
  /** Makes the plan's resources in its stack, which {@link create} has made. */
  readonly up: (plan: Plan, options?: UpOptions) => Promise<void>;
  /** What `up` would do, as events of type `started` in the order of the engine's steps. Needs no stack and leaves none. */
  readonly preview: (plan: Plan, options?: OperationOptions) => Promise<void>;
  /** Destroys all that the stack's state knows. Needs no plan and no program; the empty stack stays. */
  readonly destroy: (stack: string, options?: OperationOptions) => Promise<void>;
  /** Removes an empty stack, with all copies of its state. */
  readonly remove: (stack: string) => Promise<void>;
  /** Removes a stack whose state can't be read, or what is left of one whose state is gone. What it has made must be found by its labels. */
  readonly forget: (stack: string) => Promise<void>;
  /**
   * Removes the locks of a stack. Pulumi does not stop their owner: call it only when all lock owners are known to be
   * dead.
   */
  readonly unlock: (stack: string) => Promise<void>;
  readonly list: () => Promise<readonly StackSummary[]>;
  /** Ends the engine's process. Whatever it still does is interrupted first. */
  readonly close: () => Promise<void>;
}
