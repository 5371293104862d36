// What a run was, for machines and people: the report, its renderings, and the reporter that shows events as they come.
import type { RunEvent } from "../../schema/events.ts";
import type { Outcome } from "../../schema/outcome.ts";
import type { Plan } from "../../schema/plan.ts";
import type { Phase, PodReport, RunReport } from "../../schema/report.ts";
import type { ObservedRun } from "../watch/index.ts";

const later = (what: string): never => {
  throw new Error(`${what} is not written yet`);
};

/** All that a report is built from. */
export interface ReportInput {
  readonly plan: Plan;
  readonly outcome: Outcome;
  readonly startedAt: Date;
  readonly endedAt: Date;
  /** Phases that were entered, in order; each lasts until the next or the end. */
  readonly phases: readonly { readonly phase: Phase; readonly at: Date }[];
  /** When things were first true; left out where they never were. */
  readonly milestones: {
    readonly objectsExist?: Date | undefined;
    readonly driverStarted?: Date | undefined;
    readonly result?: Date | undefined;
    readonly gone?: Date | undefined;
  };
  readonly observed: ObservedRun | undefined;
  /** s3:// locations of saved logs. */
  readonly logs: readonly string[];
  readonly left: readonly string[];
  readonly kept: boolean;
}

/** Pure: the report of one attempt. */
export const buildReport = (_input: ReportInput): RunReport => later("buildReport");

/** Pods as a report shows them, from what was observed until `now`. */
export const podReports = (_plan: Plan, _observed: ObservedRun, _now: Date): PodReport[] =>
  later("podReports");

/** The event that says what is about to be made. */
export const plannedEvent = (_plan: Plan, _at: Date): Extract<RunEvent, { type: "planned" }> =>
  later("plannedEvent");

/** Two-space indented JSON with a line end. */
export const renderJson = (report: RunReport): string => `${JSON.stringify(report, undefined, 2)}\n`;

/** For a pull request, a CI summary or an Airflow log. */
export const renderMarkdown = (_report: RunReport): string => later("renderMarkdown");

/** A table for a terminal; colour and width default to what standard output is. */
export const renderReport = (
  _report: RunReport,
  _options: { readonly colour?: boolean; readonly width?: number } = {},
): string => later("renderReport");

/** One line: `wordcount wordcount-x1 succeeded in 14.2 s …`. */
export const renderSummary = (_report: RunReport): string => later("renderSummary");

/** The last driver lines to show when a run failed, and the exception in them. */
export const lastDriverLines = (_observed: ObservedRun, _count = 20): readonly string[] =>
  later("lastDriverLines");

/** Shows events as they come. */
export interface Reporter {
  /** Never throws. */
  readonly onEvent: (event: RunEvent) => void;
  /** Prints a line for people between the events, such as what a second Ctrl-C does. Never throws. */
  readonly note: (line: string) => void;
  /** Stops timers and leaves the terminal tidy. Never throws. */
  readonly close: () => void;
}

export interface ReporterOptions {
  /** Events as NDJSON on `out` instead of text. */
  readonly json: boolean;
  /** For the commands to type next: how the job was named on the command line. */
  readonly jobFile?: string | undefined;
  /** Progress and logs; standard error where left out. Live on a terminal, plain lines elsewhere. */
  readonly err?: NodeJS.WriteStream | undefined;
  /** The report, or JSON; standard output where left out. */
  readonly out?: NodeJS.WriteStream | undefined;
}

export const createReporter = (_options: ReporterOptions): Reporter => later("createReporter");
