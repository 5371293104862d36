import type { EnvironmentConfig } from "../schema/environment/index.ts";
import type { OperationResult, Step } from "../simulation/types.ts";
import { attentionTo, isRefusal } from "./attention.ts";
import { compareCosts } from "./cost.ts";
import { fixedParts } from "./fixed-parts.ts";
import { componentChanges } from "./group.ts";
import { categoryOf, classOf, isMayflyComponent, kindOf, lossOf } from "./kinds.ts";
import { readableMessage } from "./messages.ts";
import { protectionErrors } from "./protection.ts";
import {
  type Category,
  CHANGES,
  type Change,
  type ComparedWith,
  type KindCount,
  type PolicyReview,
  type ResourceChange,
  type Review,
  type Totals,
} from "./types.ts";
import { propertiesOf } from "./values.ts";

/** What an environment may have at most: more can't be reviewed, and Pulumi takes minutes for it. */
export const RESOURCE_LIMIT = 250;

/** All that a review is made of. */
export interface ReviewInput {
  readonly environment: string;
  readonly comparedWith: ComparedWith;
  readonly notice: string;
  readonly result: OperationResult;
  readonly config: EnvironmentConfig;
  /** Config of the base; `unknown` says why there is none; undefined where there is no base. */
  readonly before: EnvironmentConfig | { readonly unknown: string } | undefined;
  /** How many rules were checked; undefined where no policies ran. */
  readonly rules: number | undefined;
}

/** Makes a review of what the engine said. Pure. */
export function buildReview(input: ReviewInput): Review {
  const { result, config, before } = input;
  const policies = policyReview(input);
  const broken = policies.violations.some(({ mandatory }) => mandatory);
  const { urns, others: errors } = protectionErrors(messages(result, "error"), broken);
  const refused = new Set(urns);
  const resources = resourceChanges(result.steps).map((resource) =>
    refused.has(resource.urn) ? { ...resource, protect: true } : resource,
  );
  const totals = totalsOf(resources);
  return {
    environment: input.environment,
    comparedWith: input.comparedWith,
    notice: input.notice.replace(/^Simulated: /, "The cloud side is simulated: "),
    succeeded: result.succeeded,
    refused: urns.length > 0 || isRefusal(resources, policies),
    attention: attentionTo({ resources, totals, policies, errors, config, before }),
    components: componentChanges(resources),
    totals,
    kinds: kindCounts(resources),
    costs: compareCosts(
      { config, parts: fixedParts(result.steps, "now") },
      before === undefined || "unknown" in before
        ? before
        : { config: before, parts: fixedParts(result.steps, "before") },
    ),
    policies,
    unmodelled: [...result.unmodelled].sort(),
    errors,
    // Types that nobody modelled are told apart.
    warnings: messages(result, "warning").filter(
      (message) => !result.unmodelled.some((type) => message.startsWith(type)),
    ),
    resources: resources.filter(({ change }) => change !== "same" && change !== "read").sort(worstFirst),
  };
}

const messages = ({ diagnostics }: OperationResult, severity: "error" | "warning"): string[] => [
  ...new Set(
    diagnostics.filter((one) => one.severity === severity).map(({ message }) => readableMessage(message)),
  ),
];

/** Every resource of the steps, in their order. */
export function resourceChanges(steps: readonly Step[]): ResourceChange[] {
  const byUrn = new Map(steps.map((step) => [step.urn, step]));
  return steps.map((step) => {
    const components = mayflyComponents(step, byUrn);
    return {
      urn: step.urn,
      type: step.type,
      kind: kindOf(step.type),
      name: step.name,
      category: categoryOf(step),
      component: components.map(({ name }) => name),
      componentKind: components.length === 0 ? undefined : classOf(components.at(-1)?.type ?? ""),
      change: changeOf(step),
      protect: step.protect,
      loss: lossOf(step.type),
      deleteBeforeReplace: step.deleteBeforeReplace,
      properties: propertiesOf(step),
    };
  });
}

/** Pulumi says "update" of a component where its description differs, and of the stack: that changes nothing anywhere. */
const changeOf = ({ op, custom }: Step): Change =>
  op === "refresh" || (op === "update" && !custom) ? "same" : op;

/** Itself and its ancestors as far as they are components of ours, outermost first. */
function mayflyComponents(step: Step, byUrn: ReadonlyMap<string, Step>): Step[] {
  const found: Step[] = [];
  const seen = new Set<string>();
  for (let one: Step | undefined = step; one !== undefined && !seen.has(one.urn); ) {
    seen.add(one.urn);
    if (isMayflyComponent(one.type)) found.unshift(one);
    one = one.parent === undefined ? undefined : byUrn.get(one.parent);
  }
  return found;
}

const noChanges = (): Record<Change, number> => ({
  replace: 0,
  delete: 0,
  update: 0,
  create: 0,
  read: 0,
  same: 0,
});

function totalsOf(resources: readonly ResourceChange[]): Totals {
  const changes = noChanges();
  const byCategory: Record<Category, number> = { cloud: 0, cluster: 0, component: 0, pulumi: 0 };
  for (const { change, category } of resources) {
    changes[change]++;
    if (change !== "delete") byCategory[category]++;
  }
  return {
    resources: Object.values(byCategory).reduce((sum, count) => sum + count, 0),
    limit: RESOURCE_LIMIT,
    byCategory,
    changes,
  };
}

const CATEGORY_ORDER: readonly Category[] = ["cloud", "cluster", "component", "pulumi"];

/** By category, then by how many there are. */
function kindCounts(resources: readonly ResourceChange[]): KindCount[] {
  const kinds = new Map<
    string,
    { kind: string; category: Category; total: number; changes: Record<Change, number> }
  >();
  for (const { kind, category, change } of resources) {
    const count = kinds.get(kind) ?? { kind, category, total: 0, changes: noChanges() };
    kinds.set(kind, count);
    count.changes[change]++;
    if (change !== "delete") count.total++;
  }
  return [...kinds.values()].sort(
    (a, b) =>
      CATEGORY_ORDER.indexOf(a.category) - CATEGORY_ORDER.indexOf(b.category) ||
      b.total - a.total ||
      (a.kind < b.kind ? -1 : 1),
  );
}

function policyReview({ rules, result }: ReviewInput): PolicyReview {
  return {
    ran: rules !== undefined,
    rules: rules ?? 0,
    violations: result.violations
      .filter(({ level }) => level !== "disabled")
      .map(({ policy, level, message, urn }) => ({
        policy,
        mandatory: level === "mandatory",
        resource: urn,
        message: message.replace(/\s*\n\s*/g, " ").trim(),
      })),
  };
}

/** Worst first, in the order of {@link CHANGES}. */
const worstFirst = (left: ResourceChange, right: ResourceChange): number =>
  CHANGES.indexOf(left.change) - CHANGES.indexOf(right.change) || (left.urn < right.urn ? -1 : 1);
