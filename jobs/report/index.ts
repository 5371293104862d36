// What a run was, for machines and people: the report, its renderings, and the reporter that shows events as they come.
import type { RunReport } from "../../schema/report.ts";

export { buildReport, lastDriverLines, plannedEvent, podReports, type ReportInput } from "./build.ts";
export { renderMarkdown } from "./markdown.ts";
export { streamReport } from "./stream.ts";
export { ageOf, streamRows } from "./stream-words.ts";
export { renderReport } from "./table.ts";
export { createReporter } from "./terminal.ts";
export { renderSummary } from "./words.ts";

/** Two-space indented JSON with a line end. */
export const renderJson = (report: RunReport): string => `${JSON.stringify(report, undefined, 2)}\n`;
