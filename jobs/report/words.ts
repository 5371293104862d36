import { OUTCOME_EXIT, type Outcome } from "../../schema/outcome.ts";
import type { RunReport } from "../../schema/report.ts";

/** Outcomes as people say them. */
export const OUTCOME_WORDS: Readonly<Record<Outcome["kind"], string>> = {
  succeeded: "succeeded",
  "user-failure": "failed",
  "out-of-memory": "out of memory",
  image: "image missing",
  unschedulable: "unschedulable",
  refused: "refused",
  infrastructure: "infrastructure failure",
  lost: "lost",
  deadline: "deadline passed",
  cancelled: "cancelled",
  suspended: "suspended",
};

/** What the outcome adds to its name; undefined for a success. */
export const outcomeMessage = (outcome: Outcome): string | undefined =>
  outcome.kind === "succeeded" ? undefined : outcome.message;

/** Whether it is what somebody wanted: a success, or a stream that was suspended. */
export const endedWell = ({ kind }: Outcome): boolean => OUTCOME_EXIT[kind] === 0;

/** `4.2 s`, `3 min 05 s`, `2 h 03 min`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const pad = (value: number): string => String(value).padStart(2, "0");
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${pad(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${pad(Math.floor(whole / 60) % 60)} min`;
}

/** `512 MiB`, `2 GiB`, `1.4 GiB`. */
export const formatMib = (mib: number): string =>
  mib < 1024 ? `${Math.round(mib)} MiB` : `${Number((mib / 1024).toFixed(1))} GiB`;

/** `2 cores`, `1 core`, `0.4 cores`. */
export const formatCpu = (millicores: number): string =>
  `${millicores / 1000} ${millicores === 1000 ? "core" : "cores"}`;

export const formatMoney = (amount: number, currency: string): string =>
  `${amount < 0.01 ? amount.toFixed(4) : amount.toFixed(2)} ${currency}`;

export const totalSeconds = (report: RunReport): number =>
  (Date.parse(report.endedAt) - Date.parse(report.startedAt)) / 1000;

/** Used as a share of what was asked, such as `61 %`. */
function share(used: number | undefined, asked: number): string {
  return used === undefined || asked === 0 ? "unknown" : `${Math.round((used / asked) * 100)} %`;
}

/** `driver 896 → 1280 MiB, workers 896 → 1280 MiB`. */
export const describeLarger = (larger: NonNullable<RunReport["larger"]>): string =>
  Object.entries(larger)
    .flatMap(([who, grown]) => (grown === undefined ? [] : [`${who} ${grown.from} → ${grown.to} MiB`]))
    .join(", ");

/** What came before this attempt, and what it had more for that; empty for a first one. */
export const attemptLines = ({ earlier = [], larger }: Pick<RunReport, "earlier" | "larger">): string[] => [
  ...earlier.map(({ attempt, outcome, startedFrom }) => {
    const message = outcomeMessage(outcome);
    const from = startedFrom === undefined ? "" : `, from ${startedFrom.kind} ${startedFrom.location}`;
    return `Attempt ${attempt}${from}: ${OUTCOME_WORDS[outcome.kind]}${message === undefined ? "" : `. ${message.replace(/\s*\n\s*/g, " ")}`}`;
  }),
  ...(larger === undefined ? [] : [`More memory than the spec says: ${describeLarger(larger)}.`]),
];

/** Rows of the usage table: what, asked, used, share. */
export const usageRows = ({ asked, used }: RunReport["usage"]): string[][] => [
  [
    "core-seconds",
    String(asked.coreSeconds),
    String(used?.coreSeconds ?? "unknown"),
    share(used?.coreSeconds, asked.coreSeconds),
  ],
  [
    "GiB-seconds",
    String(asked.gibSeconds),
    String(used?.gibSeconds ?? "unknown"),
    share(used?.gibSeconds, asked.gibSeconds),
  ],
];

/** The commands one needs next, most useful first. */
export function nextCommands(report: RunReport, jobFile: string | undefined): readonly string[] {
  const { run, outcome, stream } = report;
  const namespace = `${report.tenant}-${run}`;
  const file = jobFile ?? "JOB.yaml";
  if (report.left.length > 0)
    return [`npx mayfly destroy ${run}`, `kubectl get all --namespace ${namespace}`];
  if (report.kept) {
    return [
      `kubectl get pods --namespace ${namespace}`,
      `npx mayfly logs --follow ${run}`,
      `npx mayfly destroy ${run}`,
    ];
  }
  if (stream?.newest !== undefined && !endedWell(outcome))
    return [`npx mayfly resume ${run} --from ${stream.newest.location}`, `npx mayfly logs ${run}`];
  switch (outcome.kind) {
    case "succeeded":
      return [`npx mayfly status ${run}`, `npx mayfly logs ${run}`];
    case "user-failure":
    case "out-of-memory":
      // A stream is not kept up, nor followed: the log of its last attempt is in S3.
      return [`npx mayfly logs ${run}`, `npx mayfly run ${stream === undefined ? "--keep " : ""}${file}`];
    case "deadline":
      return [`npx mayfly logs ${run}`, `npx mayfly run ${stream === undefined ? "--follow " : ""}${file}`];
    case "image":
    case "unschedulable":
    case "refused":
      return [`npx mayfly plan ${file}`, `npx mayfly status ${run}`];
    case "infrastructure":
    case "lost":
      return [`npx mayfly status ${run}`, `npx mayfly run ${file}`];
    case "cancelled":
      return [`npx mayfly run ${file}`];
    case "suspended":
      return [`npx mayfly resume ${run}`, `npx mayfly savepoints ${run}`];
  }
}

/** One line: `wordcount-x1 succeeded in 14.2 s: 3 pods, 12.1 core-seconds, nothing left`. */
export function renderSummary(report: RunReport): string {
  const { outcome, usage, pods, left, kept } = report;
  const attempt = report.attempt > 1 ? ` at attempt ${report.attempt}` : "";
  const rest = kept ? "kept" : left.length > 0 ? `left behind: ${left.join(", ")}` : "nothing left";
  const message = outcomeMessage(outcome);
  return (
    `${report.run} ${OUTCOME_WORDS[outcome.kind]}${attempt} in ${formatSeconds(totalSeconds(report))}: ` +
    `${pods.length} ${pods.length === 1 ? "pod" : "pods"}, ${usage.asked.coreSeconds} core-seconds, ${rest}` +
    (message === undefined ? "" : `. ${message.replace(/\s*\n\s*/g, " ")}`)
  );
}
