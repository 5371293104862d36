import type { ResourceView } from "./resource.ts";

/** One breach of a rule. */
export interface Problem {
  /** The property, such as `spec.containers[0].image`. */
  readonly path: string;
  /** What is wrong, for people: no full stop, since the rule's own text follows. */
  readonly message: string;
}

interface RuleText {
  /** Stable, kebab-case: appears in previews, and by it a rule is configured. */
  readonly name: string;
  /** What to do: the sentence that a violation begins with. */
  readonly description: string;
  /** Why: a page that gives the reason. */
  readonly url: string;
}

/** Judges one resource by its inputs, before the engine touches it. */
export interface ResourceRule extends RuleText {
  readonly scope: "resource";
  /** Whether the rule looks at such a resource at all. */
  readonly judges: (resource: Pick<ResourceView, "type">) => boolean;
  readonly check: (resource: ResourceView) => readonly Problem[];
}

/** A breach and the resource it is about. */
export interface StackProblem extends Problem {
  readonly resource: ResourceView;
}

/** Judges how resources belong together, once all are known: in a preview before anything is made, in an update after. */
export interface StackRule extends RuleText {
  readonly scope: "stack";
  readonly check: (resources: readonly ResourceView[]) => readonly StackProblem[];
}

export type Rule = ResourceRule | StackRule;
