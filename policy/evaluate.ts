import { isExempt } from "./exempt.ts";
import type { ResourceView } from "./resource.ts";
import type { Problem, ResourceRule, Rule, StackProblem, StackRule } from "./rule.ts";
import { RULES } from "./rules/index.ts";

/** A breach, with the rule and the resource. */
export interface Violation extends StackProblem {
  readonly rule: string;
}

/** What one rule finds on one resource, exemptions left out. */
export const checkResource = (rule: ResourceRule, resource: ResourceView): readonly Problem[] =>
  rule.judges(resource) && !isExempt(rule.name, resource) ? rule.check(resource) : [];

/** What one rule finds on a whole stack, exemptions left out. */
export const checkStack = (rule: StackRule, resources: readonly ResourceView[]): readonly StackProblem[] =>
  rule.check(resources).filter(({ resource }) => !isExempt(rule.name, resource));

/** Judges resources without an engine, as if they were a whole stack. */
export const evaluate = (
  resources: readonly ResourceView[],
  rules: readonly Rule[] = RULES,
): readonly Violation[] =>
  rules.flatMap((rule) => {
    const problems =
      rule.scope === "stack"
        ? checkStack(rule, resources)
        : resources.flatMap((resource) =>
            checkResource(rule, resource).map((problem) => ({ ...problem, resource })),
          );
    return problems.map((problem) => ({ ...problem, rule: rule.name }));
  });

/** A problem as one line, as previews show it. */
export const problemText = ({ path, message }: Problem): string => `${path} ${message}`;
