import { NOT_COUNTED } from "./cost.ts";
import type {
  ChangeGroup,
  ComponentChanges,
  CostEstimate,
  CostLine,
  CostReview,
  KindCount,
  Review,
} from "./types.ts";
import { formatChange, formatCounts, formatMoney, formatRange, plural } from "./words.ts";

/** Components in one list of names before the rest is counted. */
const NAMES_SHOWN = 12;

/** Components as a heading says them: `pool-m7g-4xlarge (NodePool)`, `6 × NodePool`, and which. */
export function componentTitle({ components, kind }: ComponentChanges): {
  title: string;
  which: readonly string[];
} {
  // Names of inner components begin with those of the outer ones.
  const names = components.map((path) => path.split("/").at(-1) ?? path);
  const [first] = names;
  if (first === undefined) return { title: "outside of components", which: [] };
  if (names.length === 1) return { title: `${first} (${kind ?? "component"})`, which: [] };
  const shown = names.slice(0, NAMES_SHOWN);
  return {
    title: `${names.length} × ${kind ?? "component"}`,
    which: names.length > NAMES_SHOWN ? [...shown, `${names.length - NAMES_SHOWN} more`] : shown,
  };
}

/** Whether a group says which properties change, and so gets lines of its own. */
export const isDetailed = ({ change }: Pick<ChangeGroup, "change">): boolean =>
  change === "update" || change === "replace";

/** `3`, or `9 to 12` where components with not quite as many are put together. */
export const countText = ({ count: { least, most } }: Pick<ChangeGroup, "count">): string =>
  least === most ? `${least}` : `${least} to ${most}`;

/** What a property's values are where they are not the same in all resources of the group. */
export const varies = (group: ChangeGroup, path: string): boolean => group.varying.includes(path);

/** A row of the costs: what, floor, ceiling, how it comes about. */
export interface CostRow {
  readonly name: string;
  readonly floor: string;
  readonly ceiling: string;
  readonly how: string;
}

function costRow({ part, name, how, money, notes }: CostLine): CostRow {
  return {
    name: part === "pool" ? `pool ${name}` : part === "system pool" ? "system pool" : name,
    floor: money === undefined ? "unknown" : formatMoney(money.floor, money.currency),
    ceiling: money === undefined ? "unknown" : formatMoney(money.ceiling, money.currency),
    how: [how, ...notes].join("; "),
  };
}

const rangeOf = ({ money }: CostLine): string => (money === undefined ? "unknown" : formatRange(money));

/** A row with what it was before, where that was something else. */
function withBefore(row: CostRow, line: CostLine | undefined): CostRow {
  if (line === undefined) return { ...row, how: `${row.how}; new` };
  const { floor, ceiling } = costRow(line);
  return floor === row.floor && ceiling === row.ceiling
    ? row
    : { ...row, how: `${row.how}; before: ${rangeOf(line)}` };
}

/** The estimate as rows: every part, the totals. */
export function costRows({ now, before }: CostReview): CostRow[] {
  const of = (lines: readonly CostLine[], { part, name }: CostLine): CostLine | undefined =>
    lines.find((line) => line.part === part && line.name === name);
  const gone = (before?.lines ?? []).filter((line) => of(now.lines, line) === undefined);
  const incomplete = now.unknown.length === 0 ? "" : `without ${now.unknown.join(", ")}`;
  return [
    ...now.lines.map((line) =>
      before === undefined ? costRow(line) : withBefore(costRow(line), of(before.lines, line)),
    ),
    ...gone.map((line) => {
      const row = costRow(line);
      return { name: row.name, floor: "", ceiling: "", how: `taken out; before: ${rangeOf(line)}` };
    }),
    ...now.totals.map(({ currency, floor, ceiling }) => ({
      name: "total",
      floor: formatMoney(floor, currency),
      ceiling: formatMoney(ceiling, currency),
      how: incomplete,
    })),
  ];
}

/** Parts without a known price of which there are more or fewer than before. */
function unknownChanges(now: CostEstimate, before: CostEstimate): string[] {
  const unknown = ({ lines }: CostEstimate): Map<string, string> =>
    new Map(
      lines.flatMap((line) => (line.money === undefined ? [[costRow(line).name, line.how] as const] : [])),
    );
  const [left, right] = [unknown(now), unknown(before)];
  return [...new Set([...left.keys(), ...right.keys()])].filter((name) => left.get(name) !== right.get(name));
}

/** What is to be said about the estimate beside its rows. */
export function costRemarks({ now, before, change, beforeUnknown }: CostReview): string[] {
  if (now.lines.length === 0) {
    return ["No estimate: the cluster is there already, and whoever made it pays for its nodes."];
  }
  const remarks: string[] = [];
  if (change !== undefined && before !== undefined) {
    remarks.push(
      `Change: ${change.map(formatChange).join(", ")} (before: ${before.totals.map(formatRange).join(", ") || "nothing"}).`,
    );
    const unknown = unknownChanges(now, before);
    if (unknown.length > 0) remarks.push(`The change does not know what ${unknown.join(", ")} cost.`);
  }
  if (beforeUnknown !== undefined) remarks.push(`The change of costs is unknown: ${beforeUnknown}`);
  if (now.lines.some(({ how }) => how.includes("spot at up to"))) {
    remarks.push(
      "Spot prices move: a node costs at most what it does on demand, and the floor takes it as nothing. pricePerHour in the config sets a closer one.",
    );
  }
  remarks.push(`List prices of ${now.asOf.join(", ")}, 730 hours a month. Not counted: ${NOT_COUNTED}.`);
  return remarks;
}

/** The change of costs where there is one to tell, else the whole. */
export function costSummary({ now, change }: CostReview): string | undefined {
  if (change !== undefined) {
    const told = change.map(formatChange).filter((text) => text !== "no change");
    return told.length === 0 ? "costs unchanged" : told.join(", ");
  }
  return now.totals.length === 0 ? undefined : `${now.totals.map(formatRange).join(", ")} a month`;
}

/** What the policies said, in a line. */
export function policySummary({ policies, succeeded }: Pick<Review, "policies" | "succeeded">): string {
  const { ran, rules, violations } = policies;
  if (!ran) return "policies not checked";
  // A preview that failed half-way was judged half-way.
  if (!succeeded && violations.length === 0) return "policies not judged";
  const mandatory = new Set(violations.filter((one) => one.mandatory).map(({ policy }) => policy)).size;
  const advisory = new Set(violations.filter((one) => !one.mandatory).map(({ policy }) => policy)).size;
  if (mandatory === 0 && advisory === 0) return `all ${plural(rules, "policy").replace(/ys$/, "ies")} kept`;
  return [
    ...(mandatory === 0 ? [] : [`${mandatory} of ${rules} policies broken`]),
    ...(advisory === 0 ? [] : [`${advisory} advisory`]),
  ].join(", ");
}

/** `243 of at most 250 resources: 160 in the cloud, 48 in the cluster, 29 components, 6 of Pulumi's own (providers, the stack)`. */
export function totalText({ totals }: Review): string {
  const { cloud, cluster, component, pulumi } = totals.byCategory;
  return (
    `${totals.resources} of at most ${totals.limit} resources: ${cloud} in the cloud, ${cluster} in the cluster, ` +
    `${plural(component, "component")}, ${pulumi} of Pulumi's own (providers, the stack)`
  );
}

/** Kinds of which something is made, changed or deleted. */
export const changedKinds = (kinds: readonly KindCount[]): KindCount[] =>
  kinds.filter(({ changes }) => changes.create + changes.update + changes.replace + changes.delete > 0);

/** What a reader must not conclude from a simulation. */
export function simulatedLines({ unmodelled }: Review): string[] {
  return [
    unmodelled.length === 0
      ? "Every resource type here is modelled; ids, ARNs and addresses are made up."
      : `Only echoed, since nobody modelled them: ${unmodelled.join(", ")}.`,
    "Not proven: what only Amazon can say, that is permissions, quotas and capacity of the account, names that others have taken (docs/preview.md).",
  ];
}

/** The review in one line. */
export function summaryLine(review: Review): string {
  const { environment, totals, succeeded, refused } = review;
  const parts = [
    succeeded || refused
      ? formatCounts(totals.changes)
      : `the preview failed (${plural(review.errors.length, "error")})`,
    ...(succeeded ? [`${totals.resources} of at most ${totals.limit} resources`] : []),
    costSummary(review.costs) ?? "no costs estimated",
    policySummary(review),
    ...(refused ? ["pulumi up would refuse this"] : []),
    "cloud side simulated",
  ];
  return `${environment}: ${parts.join("; ")}`;
}
