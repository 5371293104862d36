import { Command } from "@commander-js/extra-typings";
import type { RunEvent } from "../../../schema/events.ts";
import type { partsOf } from "../../queue/index.ts";
import type { RunDetails } from "../../run/index.ts";
import { connectionOption, examples, jsonOption } from "../options.ts";
import { printJson, printLine, renderTable } from "../output.ts";

export const showCommand = () =>
  new Command("show")
    .description("show all that the ledger knows of a run: spec, plan, attempts, events, report")
    .argument("<run>", "run id, as `mayfly runs` shows it")
    .addOption(connectionOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      examples(
        "mayfly show pi-1a2b3c4d",
        "mayfly show pi-1a2b3c4d --json | jq .plan.quota",
        "mayfly show clicks-1a2b3c4d --json | jq .stream.stream.checkpoints",
      ),
    )
    .action(async (run, { json, connection }) => {
      const { showRun } = await import("../../run/index.ts");
      const details = await showRun(run, { connection });
      if (json === true) {
        printJson(details);
        return;
      }
      await print(details);
    });

async function print(details: RunDetails): Promise<void> {
  const { partsOf: parts } = await import("../../queue/index.ts");
  const { summary, spec, attempts, leases, events, unknownEvents, report, stream } = details;
  printLine(
    renderTable(
      ["RUN", summary.run],
      [...facts(details, parts(summary.priority)), ...(await queueFacts(summary))],
    ),
  );
  await streamSection(stream);
  await section("SPEC", async () => {
    const { stringify } = await import("yaml");
    printLine(
      spec === undefined ? "not known: the run is from before the ledger" : stringify(spec).trimEnd(),
    );
  });
  await section("ATTEMPTS", () => {
    printLine(
      attempts.length === 0
        ? "none yet"
        : renderTable(["ATTEMPT", "PHASE", "SINCE", "OUTCOME", "STARTED FROM"], rowsOf(attempts)),
    );
  });
  if (leases.length > 0) {
    await section("HOLDERS", () => {
      printLine(
        renderTable(
          ["HOLDER", "FENCE", "SEEN"],
          leases.map(({ holder, fence, at }) => [holder, String(fence), at]),
        ),
      );
    });
  }
  await section("EVENTS", () => {
    const told = events.map((event) => [event.at, event.type, textOf(event)]);
    printLine(told.length === 0 ? "none" : renderTable(["AT", "TYPE", "WHAT"], told));
    if (unknownEvents > 0) printLine(`and ${unknownEvents} that another version of Mayfly wrote`);
  });
  if (report !== undefined) {
    const { renderReport } = await import("../../report/index.ts");
    await section("REPORT", () => {
      printLine(renderReport(report));
    });
  }
  if (summary.state === "stale" || summary.state === "kept")
    printLine(`Next: npx mayfly destroy ${summary.run}`);
}

async function streamSection(now: RunDetails["stream"]): Promise<void> {
  if (now === undefined) return;
  const { stream, live, reason } = now;
  const { ageOf, streamRows } = await import("../../report/index.ts");
  await section(live ? "STREAM, now" : `STREAM, ${ageOf(stream, new Date())}`, () => {
    if (reason !== undefined) printLine(`Flink could not be asked: ${reason}`);
    const [first, ...rest] = streamRows(stream);
    if (first !== undefined) printLine(renderTable(first, rest));
  });
}

async function section(title: string, print: () => void | Promise<void>): Promise<void> {
  printLine();
  printLine(title);
  await print();
}

/** How its tenant stands, of a run that waits: what it may wait for. */
async function queueFacts({ run, state }: RunDetails["summary"]): Promise<string[][]> {
  if (state !== "queued") return [];
  const { queueOf } = await import("../../work/standing.ts");
  const standing = await queueOf(run);
  if (standing === undefined) return [];
  const { tenant, working, queued, limits } = standing;
  return [
    [
      "tenant",
      `${tenant} has ${working} of ${limits.running} at work, ${queued} of ${limits.queued} waiting`,
    ],
  ];
}

function facts(
  { summary, plan }: RunDetails,
  { serviceClass, fine }: ReturnType<typeof partsOf>,
): string[][] {
  const { interval, left, outcome } = summary;
  const message = outcome !== undefined && "message" in outcome ? outcome.message : outcome?.kind;
  const all: readonly (readonly [string, string | undefined])[] = [
    ["state", summary.state],
    ["outcome", message],
    ["job", `${summary.job} of tenant ${summary.tenant} in ${summary.environment}`],
    ["service", fine === 0 ? serviceClass : `${serviceClass}, priority ${fine > 0 ? "+" : ""}${fine}`],
    ["key", summary.key],
    ["data", interval === undefined ? undefined : `${interval.start} to ${interval.end}`],
    ["submitted", summary.submittedAt],
    ["started", summary.startedAt],
    ["ended", summary.endedAt],
    ["cancel asked", summary.cancelRequestedAt],
    ["holder", summary.holder],
    ["namespace", summary.namespace],
    ["stack", summary.stack],
    ["image", plan?.image.reference],
    ["pods", plan === undefined ? undefined : `1 coordinator, ${plan.workers.count} workers`],
    ["placed", plan === undefined ? undefined : `pool ${plan.placed.pool} in ${plan.placed.zone}`],
    ["left behind", left.length === 0 ? undefined : left.join(", ")],
  ];
  return all.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
}

const rowsOf = (attempts: RunDetails["attempts"]): string[][] =>
  attempts.flatMap(({ attempt, phases, outcome, startedFrom }) =>
    phases.map(({ phase, at }, index) => [
      index === 0 ? String(attempt) : "",
      phase,
      at,
      index === phases.length - 1 ? (outcome?.kind ?? "-") : "",
      index === 0 ? (startedFrom?.location ?? "-") : "",
    ]),
  );

function textOf(event: RunEvent): string {
  switch (event.type) {
    case "planned":
      return `${event.pods} pods in ${event.namespace}, pool ${event.pool}, zone ${event.zone}`;
    case "phase":
      return `${event.phase}, attempt ${event.attempt}`;
    case "resource":
      return `${event.operation} ${event.kind} ${event.name}`;
    case "pod":
      return `${event.pod} (${event.role}) ${event.state}`;
    case "log":
      return `${event.source}: ${event.line}`;
    case "warning":
      return event.message;
    case "savepoint":
      return `${event.reason}: ${event.location}`;
    case "answer":
      return `${event.kind} ${event.ok ? "done" : "not done"}: ${event.message}`;
    case "stream":
      return `${event.stream.state ?? "unknown"}, attempt ${event.attempt}`;
    case "outcome":
      return "message" in event.outcome
        ? `${event.outcome.kind}: ${event.outcome.message}`
        : event.outcome.kind;
    case "report":
      return event.report.outcome.kind;
  }
}
