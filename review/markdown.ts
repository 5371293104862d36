import { escapeMarkdown } from "../base/text.ts";
import { shortKind } from "./kinds.ts";
import {
  changedKinds,
  componentTitle,
  costRemarks,
  costRows,
  countText,
  isDetailed,
  policySummary,
  simulatedLines,
  summaryLine,
  totalText,
  varies,
} from "./lines.ts";
import { joinNames } from "./names.ts";
import {
  type Change,
  type ChangeGroup,
  type ComponentChanges,
  type PropertyChange,
  type Review,
} from "./types.ts";
import { CHANGE_WORDS, formatComparedWith, formatCounts } from "./words.ts";

/** Text as it is. */
const code = (text: string): string => `\`${text.replace(/[`\n]/g, " ")}\``;

function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly number[],
): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [
    line(head),
    line(head.map((_, column) => (right.includes(column) ? "---:" : "---"))),
    ...rows.map(line),
  ];
}

/** A review for a pull request. */
export function renderMarkdown(review: Review): string {
  const { comparedWith, totals } = review;
  const lines = [
    `## Review of \`${review.environment}\`: ${review.succeeded || review.refused ? formatCounts(totals.changes) : "the preview failed"}`,
    "",
    `Compared with: ${escapeMarkdown(formatComparedWith(comparedWith))}`,
    "",
    ...(comparedWith.kind === "commit"
      ? comparedWith.notes.flatMap((note) => [`Note: ${escapeMarkdown(note)}.`, ""])
      : []),
    `> **${escapeMarkdown(review.notice)}**`,
    "",
    "### What needs attention",
    "",
    ...(review.attention.length === 0 ? ["Nothing."] : attentionLines(review)),
    "",
    "### Changes by component",
    "",
    ...(review.components.length === 0
      ? ["None."]
      : review.components.flatMap((entry) => componentLines(entry, review))),
    "",
    "### By kind",
    "",
    ...kindLines(review),
    "",
    "### Costs a month",
    "",
    ...costLines(review),
    "",
    "### Policies",
    "",
    ...policyLines(review),
    "",
    ...(review.warnings.length === 0
      ? []
      : ["### Warnings", "", ...review.warnings.map((warning) => `- ${escapeMarkdown(warning)}`), ""]),
    "### What a simulation does not prove",
    "",
    ...simulatedLines(review).map((line) => `- ${escapeMarkdown(line)}`),
    "",
    escapeMarkdown(summaryLine(review)),
  ];
  return `${lines.join("\n")}\n`;
}

function attentionLines({ attention }: Review): string[] {
  return attention.flatMap(({ level, message, details }) => [
    level === "danger"
      ? `- :stop_sign: **${escapeMarkdown(message)}**`
      : `- :warning: ${escapeMarkdown(message)}`,
    ...details.map((detail) => `  - ${escapeMarkdown(detail)}`),
  ]);
}

function componentLines(entry: ComponentChanges, review: Review): string[] {
  const { title, which } = componentTitle(entry);
  // Names are those of the first component.
  const single = entry.components.length < 2;
  const named = single && review.comparedWith.kind !== "nothing";
  const each = single ? "" : "each: ";
  const names = which.length === 0 ? "" : `: ${which.map(escapeMarkdown).join(", ")}`;
  const lines = [`- **${escapeMarkdown(title)}**${names}`];
  const plain = new Map<Change, string[]>();
  for (const group of entry.groups) {
    if (isDetailed(group)) {
      lines.push(`  - ${each}${CHANGE_WORDS[group.change]} ${groupText(group, single)}`);
      lines.push(
        ...group.properties.map(
          (property) => `    - ${propertyText(property, varies(group, property.path))}`,
        ),
      );
    } else {
      plain.set(group.change, [...(plain.get(group.change) ?? []), listedText(group, named)]);
    }
  }
  for (const [change, texts] of plain) lines.push(`  - ${each}${CHANGE_WORDS[change]} ${texts.join(", ")}`);
  return lines;
}

const groupText = (group: ChangeGroup, named: boolean): string =>
  `${countText(group)} ${code(group.kind)}${named ? ` ${code(joinNames(group.names))}` : ""}`;

/** In a list of many the class alone is enough: "By kind" has the whole names. */
const listedText = (group: ChangeGroup, named: boolean): string =>
  groupText({ ...group, kind: shortKind(group.kind) }, named);

function propertyText({ path, from, to, replaces }: PropertyChange, alike: boolean): string {
  const values =
    from === undefined
      ? `${code(to ?? "")} (new)`
      : to === undefined
        ? `${code(from)} (taken away)`
        : `${code(from)} → ${code(to)}`;
  return `${code(path)}: ${values}${alike ? ", others alike" : ""}${replaces ? ", **forces the replacement**" : ""}`;
}

/** Every kind where all is new; else those that change. */
function kindLines(review: Review): string[] {
  const { kinds, comparedWith } = review;
  const total = [`${totalText(review)}.`, ""];
  if (comparedWith.kind === "nothing") {
    const rows = kinds.map(({ kind, total: count }) => [code(kind), String(count)]);
    const folded = [
      "<details><summary>Each kind</summary>",
      "",
      ...table(["kind", "number"], rows, [1]),
      "",
      "</details>",
    ];
    return [...total, ...folded];
  }
  const changed = changedKinds(kinds);
  if (changed.length === 0) return total.slice(0, 1);
  const shown = (["replace", "delete", "update", "create"] as const).filter((change) =>
    changed.some(({ changes }) => changes[change] > 0),
  );
  const head = ["kind", "number", ...shown.map((change) => CHANGE_WORDS[change])];
  const rows = changed.map(({ kind, total: count, changes }) => [
    code(kind),
    String(count),
    ...shown.map((change) => (changes[change] === 0 ? "" : String(changes[change]))),
  ]);
  return [...total, ...table(head, rows, head.map((_, column) => column).slice(1))];
}

function costLines({ costs }: Review): string[] {
  const rows = costRows(costs).map(({ name, floor, ceiling, how }) =>
    [name, floor, ceiling, how].map((cell) =>
      name === "total" && cell !== "" ? `**${escapeMarkdown(cell)}**` : escapeMarkdown(cell),
    ),
  );
  return [
    ...(rows.length === 0 ? [] : [...table(["", "floor", "ceiling", "how"], rows, [1, 2]), ""]),
    ...costRemarks(costs).flatMap((remark, index) =>
      index === 0 ? [escapeMarkdown(remark)] : ["", escapeMarkdown(remark)],
    ),
  ];
}

function policyLines(review: Review): string[] {
  const { policies } = review;
  const summary = policySummary(review);
  return [
    `${summary.slice(0, 1).toUpperCase()}${summary.slice(1)}.`,
    ...(policies.violations.length === 0 ? [] : [""]),
    ...policies.violations.map(
      ({ policy, mandatory, resource, message }) =>
        `- ${mandatory ? "**broken**" : "advisory"} ${code(policy)}: ${code(resource?.split("::").at(-1) ?? "stack")}: ${escapeMarkdown(message)}`,
    ),
  ];
}
