import { escapeMarkdown } from "../../base/text.ts";
import type { RunReport } from "../../schema/report.ts";
import { streamRows } from "./stream-words.ts";
import {
  attemptLines,
  endedWell,
  formatMib,
  formatMoney,
  formatSeconds,
  OUTCOME_WORDS,
  outcomeMessage,
  totalSeconds,
  usageRows,
} from "./words.ts";

const code = (text: string): string => `\`${text.replace(/[`\n|]/g, " ")}\``;

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)];
}

/** For a pull request, a CI summary or an Airflow log. */
export function renderMarkdown(report: RunReport): string {
  const { outcome, usage, milestones } = report;
  const message = outcomeMessage(outcome);
  const attempt = report.attempt > 1 ? `, attempt ${report.attempt}` : "";
  const lines = [
    `## ${escapeMarkdown(report.job)}: ${OUTCOME_WORDS[outcome.kind]}`,
    "",
    `Run ${code(report.run)}${attempt} of tenant ${code(report.tenant)} in ${code(report.environment)}, ` +
      `${escapeMarkdown(report.engine)} ${escapeMarkdown(report.version)}, pool ${code(report.pool)}, zone ${code(report.zone)}: ` +
      `${formatSeconds(totalSeconds(report))} from ${report.startedAt}.`,
    "",
  ];
  if (message !== undefined) lines.push(`**${escapeMarkdown(message)}**`, "");
  if (outcome.kind === "out-of-memory") lines.push(escapeMarkdown(outcome.advice), "");
  const before = attemptLines(report).map((line) => `- ${escapeMarkdown(line)}`);
  if (before.length > 0) lines.push(...before, "");

  if (report.phases.length > 0) {
    lines.push(
      ...table(
        ["phase", "time"],
        report.phases.map(({ phase, seconds }) => [phase, formatSeconds(seconds)]),
      ),
      "",
    );
  }
  const reached = [
    ["objects exist", milestones.objectsExist],
    ["driver started", milestones.driverStarted],
    ["result", milestones.result],
    ["all gone", milestones.gone],
  ] as const;
  const times = reached.flatMap(([what, seconds]) =>
    seconds === undefined ? [] : [`${what} after ${formatSeconds(seconds)}`],
  );
  if (times.length > 0) lines.push(`From submit: ${times.join(", ")}.`, "");

  if (report.stream !== undefined) {
    const rows = streamRows(report.stream).map(([what, value]) => [what, escapeMarkdown(value)]);
    lines.push(...table(["stream", ""], rows), "");
  }

  if (report.pods.length > 0) {
    const rows = report.pods.flatMap((pod) => {
      if (pod.containers.length === 0) {
        return [
          [
            code(pod.name),
            "",
            escapeMarkdown(pod.node ?? "none"),
            "",
            escapeMarkdown(pod.reason ?? pod.phase),
            "",
            "",
            "",
          ],
        ];
      }
      return pod.containers.map((container) => [
        code(pod.name),
        code(container.name),
        escapeMarkdown(pod.node ?? "none"),
        container.exitCode === undefined ? "" : String(container.exitCode),
        escapeMarkdown(pod.reason ?? container.reason ?? ""),
        String(container.restarts),
        container.peakMemoryMib === undefined ? "unknown" : formatMib(container.peakMemoryMib),
        formatMib(container.limitMib),
      ]);
    });
    const head = ["pod", "container", "node", "exit", "reason", "restarts", "peak memory", "limit"];
    lines.push(...table(head, rows), "");
  }
  lines.push(...table(["", "asked", "used", "share"], [...usageRows(usage)]), "");
  if (report.cost !== undefined) {
    lines.push(
      `Estimated cost: ${formatMoney(report.cost.amount, report.cost.currency)} (prices of ${report.cost.asOf}).`,
      "",
    );
  }
  lines.push(
    ...list(endedWell(outcome) ? "Output" : "Output (may be incomplete)", report.output),
    ...list("Logs", report.logs),
  );
  if (report.left.length > 0) lines.push(...list("**Left behind**", report.left));
  else lines.push(report.kept ? "The cluster was kept." : "Nothing is left of the cluster.", "");
  return `${lines.join("\n").trimEnd()}\n`;
}

const list = (title: string, items: readonly string[]): string[] =>
  items.length === 0 ? [] : [`${title}:`, "", ...items.map((item) => `- ${code(item)}`), ""];
