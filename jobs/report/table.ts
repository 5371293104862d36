import { styleText } from "node:util";
import Table from "cli-table3";
import { paint } from "../../base/progress.ts";
import { wrap } from "../../base/text.ts";
import type { RunReport } from "../../schema/report.ts";
import { printable } from "./printable.ts";
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

const NO_BORDER = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "  ",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
  middle: "  ",
};

type Style = (format: Parameters<typeof styleText>[0], text: string) => string;

function block(rows: readonly (readonly string[])[]): string {
  const table = new Table({
    chars: NO_BORDER,
    style: { "padding-left": 0, "padding-right": 0, head: [], border: [] },
  });
  table.push(...rows.map((row) => [...row]));
  return table
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}

/** A table for a terminal; colour and width default to what standard output is. */
export function renderReport(
  report: RunReport,
  options: { readonly colour?: boolean; readonly width?: number } = {},
): string {
  const { outcome, usage, milestones } = report;
  const width = Math.max(40, options.width ?? (process.stdout.isTTY ? process.stdout.columns : 100));
  const style: Style = (format, text) =>
    options.colour === undefined
      ? paint(format, text, process.stdout)
      : options.colour
        ? styleText(format, text, { validateStream: false })
        : text;
  const good = endedWell(outcome);
  const attempt = report.attempt > 1 ? `, attempt ${report.attempt}` : "";
  const lines = [
    `${style(["bold", good ? "green" : "red"], OUTCOME_WORDS[outcome.kind])}  ${style("bold", report.run)}${attempt} in ${formatSeconds(totalSeconds(report))}`,
  ];
  const message = outcomeMessage(outcome);
  if (message !== undefined) lines.push(...wrap(printable(message), width - 2).map((line) => `  ${line}`));
  if (outcome.kind === "out-of-memory") {
    lines.push(...wrap(outcome.advice, width - 2).map((line) => style("yellow", `  ${line}`)));
  }
  for (const line of attemptLines(report))
    lines.push(...wrap(printable(line), width - 2).map((text) => style("dim", `  ${text}`)));

  const title = (text: string): string => style("bold", text);
  if (report.phases.length > 0) {
    const longest = Math.max(...report.phases.map(({ seconds }) => seconds), 0.001);
    const reached = new Map<string, string>(
      (
        [
          ["creating", "objects exist", milestones.objectsExist],
          ["starting", "driver started", milestones.driverStarted],
          ["running", "result", milestones.result],
          ["verifying", "all gone", milestones.gone],
        ] as const
      ).map(([phase, what, seconds]) => [
        phase,
        seconds === undefined ? "" : `${what} ${formatSeconds(seconds)} after submit`,
      ]),
    );
    lines.push("", title("Phases"));
    lines.push(
      block(
        report.phases.map(({ phase, seconds }) => [
          phase,
          formatSeconds(seconds),
          style("dim", "▇".repeat(Math.max(seconds > 0 ? 1 : 0, Math.round((seconds / longest) * 20)))),
          style("dim", reached.get(phase) ?? ""),
        ]),
      ),
    );
  }

  if (report.stream !== undefined) {
    const rows = streamRows(report.stream).map(([what, value]) => [what, printable(value)]);
    lines.push("", title("Stream"), block(rows));
  }

  if (report.pods.length > 0) {
    const head = ["pod/container", "exit", "restarts", "peak memory", "limit", "CPU s", "node"].map((text) =>
      style("dim", text),
    );
    const rows = report.pods.flatMap((pod) => {
      if (pod.containers.length === 0) {
        const state = pod.reason ?? pod.phase.toLowerCase();
        return [[pod.name, state, "", "", "", "", pod.node ?? "none"]];
      }
      return pod.containers.map((container) => {
        const reason = pod.reason ?? container.reason;
        const exit = [container.exitCode, reason].filter((part) => part !== undefined).join(" ");
        // The kubelet ends the sidecar once the driver has ended: no failure.
        const bad =
          ((container.exitCode ?? 0) !== 0 && container.name !== "master") || pod.reason !== undefined;
        return [
          `${pod.name}/${container.name}`,
          bad ? style("red", exit) : exit === "" ? "still ran" : exit,
          String(container.restarts),
          container.peakMemoryMib === undefined ? "unknown" : formatMib(container.peakMemoryMib),
          formatMib(container.limitMib),
          container.cpuSeconds === undefined ? "unknown" : container.cpuSeconds.toFixed(1),
          pod.node ?? "none",
        ];
      });
    });
    lines.push("", title("Pods"), block([head, ...rows]));
  }

  lines.push(
    "",
    title("Usage"),
    block([["", "asked", "used", "share"].map((text) => style("dim", text)), ...usageRows(usage)]),
  );
  if (report.cost !== undefined) {
    lines.push(
      `  about ${formatMoney(report.cost.amount, report.cost.currency)} (prices of ${report.cost.asOf})`,
    );
  }
  const section = (name: string, items: readonly string[]): void => {
    if (items.length > 0) lines.push("", title(name), ...items.map((item) => `  ${item}`));
  };
  section(good ? "Output" : "Output (may be incomplete)", report.output);
  section("Logs", report.logs);
  lines.push("");
  if (report.left.length > 0) {
    lines.push(style("red", "Left behind:"), ...report.left.map((item) => `  ${item}`));
  } else
    lines.push(
      report.kept
        ? style("yellow", "The cluster was kept.")
        : style("green", "Nothing is left of the cluster."),
    );
  return lines.join("\n");
}
