// A stream's numbers as people read them: the same rows on a terminal, in Markdown and in `mayfly show`.
import type { StateOrigin, StreamReport } from "../../schema/stream.ts";
import { formatSeconds } from "./words.ts";

const KIB = 1024;

/** `830 B`, `12.4 KiB`, `3.1 MiB`, `1.2 GiB`. */
export function formatBytes(bytes: number): string {
  if (bytes < KIB) return `${Math.round(bytes)} B`;
  const units = ["KiB", "MiB", "GiB", "TiB"];
  const power = Math.min(units.length, Math.floor(Math.log(bytes) / Math.log(KIB)));
  return `${Number((bytes / KIB ** power).toFixed(1))} ${units[power - 1] ?? "B"}`;
}

const times = (count: number): string =>
  count === 0 ? "never restarted" : `restarted ${count === 1 ? "once" : `${count} times`}`;
const perSecond = (rate: number | undefined): string => (rate === undefined ? "" : ` (${rate}/s)`);
const origin = ({ kind, location }: StateOrigin): string => `${kind} ${location}`;

/** What and value; nothing of what is not known. */
export function streamRows(stream: StreamReport): readonly (readonly [string, string])[] {
  const { checkpoints, records, lag, startedFrom, newest } = stream;
  const size = ({ bytes, seconds }: { readonly bytes: number; readonly seconds: number }): string =>
    `${formatBytes(bytes)} in ${formatSeconds(seconds)}`;
  const rows: readonly (readonly [string, string | undefined])[] = [
    ["job", describeStream(stream)],
    ["checkpoints", checkpoints && `${checkpoints.completed} completed, ${checkpoints.failed} failed`],
    [
      "last one",
      checkpoints?.last && `#${checkpoints.last.id} of ${checkpoints.last.at}, ${size(checkpoints.last)}`,
    ],
    ["mean", checkpoints?.mean && size(checkpoints.mean)],
    [
      "records",
      records &&
        `${records.in} in${perSecond(records.inPerSecond)}, ${records.out} out${perSecond(records.outPerSecond)}`,
    ],
    ["lag", lag && lagOf(lag)],
    ["started from", startedFrom === undefined ? "no state" : origin(startedFrom)],
    ...stream.savepoints.map(
      ({ at, reason, kind, location }) => [kind, `${at} ${reason}: ${location}`] as const,
    ),
    ["newest state", newest && `${origin(newest)} of ${newest.at}`],
    ...stream.unhealthy.map((reason) => ["not well", reason] as const),
  ];
  return rows.flatMap(([what, value]) => (value === undefined ? [] : [[what, value] as const]));
}

/** In one line: state, uptime, restarts, parallelism. */
export function describeStream({ state, uptimeSeconds, restarts, parallelism }: StreamReport): string {
  if (state === undefined) return "Flink never answered: its numbers are unknown";
  const parts = [
    state,
    uptimeSeconds === undefined ? undefined : `for ${formatSeconds(uptimeSeconds)}`,
    restarts === undefined ? undefined : times(restarts),
    parallelism === undefined ? undefined : `parallelism ${parallelism}`,
  ];
  return parts.filter((part) => part !== undefined).join(", ");
}

/** `as of 3 min 05 s ago`. */
export const ageOf = ({ at }: StreamReport, now: Date): string =>
  at === undefined
    ? "of which nothing is known"
    : `as of ${formatSeconds(Math.max(0, now.getTime() - Date.parse(at)) / 1000)} ago`;

const lagOf = ({ records, seconds }: NonNullable<StreamReport["lag"]>): string =>
  [
    records === undefined ? undefined : `${records} records wait`,
    seconds === undefined ? undefined : `newest record ${formatSeconds(seconds)} old`,
  ]
    .filter((part) => part !== undefined)
    .join(", ");
