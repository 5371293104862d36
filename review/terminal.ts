import { stripVTControlCharacters, styleText } from "node:util";
import { wrap } from "../base/text.ts";
import { describe } from "./attention.ts";
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
import { CHANGES, type Change, type ChangeGroup, type ComponentChanges, type Review } from "./types.ts";
import { CHANGE_MARKS, CHANGE_WORDS, formatComparedWith } from "./words.ts";

type Style = (format: Parameters<typeof styleText>[0], text: string) => string;

const COLOURS = {
  replace: "magenta",
  delete: "red",
  update: "yellow",
  create: "green",
  read: "cyan",
  same: "dim",
} as const satisfies Readonly<Record<Change, Parameters<typeof styleText>[0]>>;

/** How wide, and whether in colour. */
export interface TerminalOptions {
  readonly colour: boolean;
  /** Columns. */
  readonly width: number;
}

/** A review for a terminal or a log. */
export function renderTerminal(review: Review, options: TerminalOptions): string {
  const style: Style = (format, text) =>
    options.colour ? styleText(format, text, { validateStream: false }) : text;
  const width = Math.max(60, options.width);
  const lines: string[] = [];
  const section = (title: string, body: readonly string[]): void => {
    lines.push("", style("bold", title), ...(body.length === 0 ? ["  nothing"] : body));
  };

  lines.push(style("bold", `Review of ${review.environment}`));
  lines.push(...hanging("Compared with: ", formatComparedWith(review.comparedWith), width));
  if (review.comparedWith.kind === "commit")
    lines.push(...review.comparedWith.notes.map((note) => `note: ${note}`));
  lines.push(...wrap(review.notice, width).map((line) => style("yellow", line)));

  section("What needs attention", attentionLines(review, style, width));
  section(
    "Changes by component",
    review.components.flatMap((entry) => componentLines(entry, review, style, width)),
  );
  section("By kind", kindLines(review, style, width));
  section("Costs a month", costLines(review, style, width));
  section("Policies", policyLines(review, style, width));
  section(
    "What a simulation does not prove",
    simulatedLines(review).flatMap((line) => indented(line, width)),
  );
  if (review.warnings.length > 0)
    section(
      "Warnings",
      review.warnings.flatMap((line) => indented(line, width)),
    );

  const good = review.succeeded && !review.refused;
  lines.push("", style(["bold", good ? "green" : "red"], summaryLine(review)));
  return lines.join("\n");
}

function attentionLines({ attention }: Review, style: Style, width: number): string[] {
  return attention.flatMap(({ level, message, details }) => {
    const colour = level === "danger" ? "red" : "yellow";
    const [first = "", ...more] = wrap(printable(message), width - 5);
    return [
      `  ${style(["bold", colour], level === "danger" ? "!!" : "! ")} ${style(colour, first)}`,
      ...more.map((line) => `     ${style(colour, line)}`),
      ...details.flatMap((detail) => wrap(printable(detail), width - 5).map((line) => `     ${line}`)),
    ];
  });
}

function componentLines(entry: ComponentChanges, review: Review, style: Style, width: number): string[] {
  const { title, which } = componentTitle(entry);
  // Names are those of the first component.
  const single = entry.components.length < 2;
  const named = single && review.comparedWith.kind !== "nothing";
  const lines = [`  ${style("bold", title)}`];
  if (which.length > 0) lines.push(...indented(which.join(", "), width, 4).map((line) => style("dim", line)));
  const each = single ? "" : "each: ";
  const plain = new Map<Change, string[]>();
  for (const group of entry.groups) {
    if (isDetailed(group)) {
      const [first = "", ...more] = wrap(`${each}${groupText(group, single)}`, width - 7);
      lines.push(`    ${mark(group.change, style)} ${first}`, ...more.map((line) => `       ${line}`));
      lines.push(...propertyLines(group, width).map((line) => `        ${line}`));
    } else {
      const listed = plain.get(group.change) ?? [];
      plain.set(group.change, [...listed, listedText(group, named)]);
    }
  }
  for (const [change, texts] of plain) {
    const [first = "", ...more] = wrap(`${each}${texts.join(", ")}`, width - 7);
    lines.push(`    ${mark(change, style)} ${first}`, ...more.map((line) => `       ${line}`));
  }
  return lines;
}

const mark = (change: Change, style: Style): string => style(COLOURS[change], CHANGE_MARKS[change].padEnd(2));

const groupText = (group: ChangeGroup, named: boolean): string =>
  `${countText(group)} ${group.kind}${named ? ` ${joinNames(group.names)}` : ""}`;

/** In a list of many the class alone is enough: "By kind" has the whole names. */
const listedText = (group: ChangeGroup, named: boolean): string =>
  groupText({ ...group, kind: shortKind(group.kind) }, named);

function propertyLines(group: ChangeGroup, width: number): string[] {
  if (group.properties.length === 0) return ["(the plugin names no property)"];
  return group.properties.flatMap((property) => {
    const extra = [
      ...(property.replaces ? ["forces the replacement"] : []),
      ...(varies(group, property.path) ? ["others alike"] : []),
    ];
    return wrap(
      printable(`${describe(property)}${extra.length === 0 ? "" : ` (${extra.join("; ")})`}`),
      width - 8,
    );
  });
}

function kindLines(review: Review, style: Style, width: number): string[] {
  const whole = review.comparedWith.kind === "nothing";
  const shown = whole ? review.kinds : changedKinds(review.kinds);
  const rows = shown.map(({ kind, total, changes }) => [
    kind,
    String(total),
    CHANGES.filter(
      (change) =>
        change !== "same" && change !== "read" && changes[change] > 0 && !(whole && change === "create"),
    )
      .map((change) => `${changes[change]} ${CHANGE_WORDS[change]}`)
      .join(", "),
  ]);
  const total = indented(totalText(review), width).map((line) => style("bold", line));
  return [...align(rows, [1]).map((line) => `  ${line}`), ...total];
}

function costLines({ costs }: Review, style: Style, width: number): string[] {
  const rows = costRows(costs);
  const remarks = costRemarks(costs).flatMap((remark) => indented(remark, width));
  if (rows.length === 0) return remarks;
  const head = align(
    [["", "floor", "ceiling"], ...rows.map(({ name, floor, ceiling }) => [name, floor, ceiling])],
    [1, 2],
  );
  const column = Math.max(...head.map((line) => line.length)) + 4;
  const body = head.flatMap((line, index) => {
    const how = index === 0 ? "" : (rows[index - 1]?.how ?? "");
    const [first = "", ...more] = wrap(how, Math.max(30, width - column));
    const text = `  ${line.padEnd(column - 4)}  ${style("dim", first)}`.trimEnd();
    return [text, ...more.map((rest) => `${" ".repeat(column)}${style("dim", rest)}`)];
  });
  return [...body, ...remarks];
}

function policyLines(review: Review, style: Style, width: number): string[] {
  const { policies } = review;
  const advisory = policies.violations.filter(({ mandatory }) => !mandatory);
  const colour = policies.violations.length === 0 ? "green" : "red";
  return [
    `  ${policies.ran ? style(colour, policySummary(review)) : policySummary(review)}`,
    ...advisory.flatMap(({ policy, resource, message }) =>
      indented(`${policy}: ${resource?.split("::").at(-1) ?? "stack"}: ${printable(message)}`, width),
    ),
  ];
}

/** Texts of programs and plugins, without escape sequences and control characters. */
const printable = (text: string): string =>
  stripVTControlCharacters(text).replace(/[\u0000-\u001f\u007f-\u009f]/g, " ");

const indented = (text: string, width: number, by = 2): string[] =>
  wrap(text, width - by).map((line) => `${" ".repeat(by)}${line}`);

function hanging(label: string, text: string, width: number): string[] {
  const [first = "", ...more] = wrap(text, width - label.length);
  return [`${label}${first}`, ...more.map((line) => `${" ".repeat(label.length)}${line}`)];
}

/** Cells below each other; columns of numbers to the right. */
function align(rows: readonly (readonly string[])[], right: readonly number[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return right.includes(column) ? cell.padStart(width) : cell.padEnd(width);
      })
      .join("  ")
      .trimEnd(),
  );
}
