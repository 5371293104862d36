// Boundary: a stream in memory stands for a terminal.
import { PassThrough } from "node:stream";
import { stripVTControlCharacters } from "node:util";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createReporter, plannedEvent } from "../../../jobs/report/index.ts";
import { RunEvent } from "../../../schema/events.ts";
import { at, plan, START } from "../watch/scenario.ts";
import { outOfMemory, success } from "./sample.ts";

interface Screen {
  readonly stream: NodeJS.WriteStream;
  readonly text: () => string;
}

function screen(isTTY: boolean): Screen {
  const stream = new PassThrough();
  let text = "";
  stream.on("data", (chunk: Buffer) => {
    text += chunk.toString("utf8");
  });
  const terminal = Object.assign(stream, { isTTY, columns: 100, rows: 40 });
  return { stream: terminal as unknown as NodeJS.WriteStream, text: () => text };
}

const iso = (second: number): string => new Date(at(second)).toISOString();
const common = (second: number) => ({ at: iso(second), run: plan.run });
const phase = (
  second: number,
  name: "preparing" | "creating" | "starting" | "running" | "destroying",
): RunEvent => ({
  type: "phase",
  ...common(second),
  attempt: 1,
  phase: name,
  elapsedSeconds: second,
});

const events = (report = success()): RunEvent[] => [
  {
    ...plannedEvent(
      { ...plan, cost: { perHour: 0.42, currency: "EUR", asOf: "2026-11-01" } },
      new Date(START),
    ),
  },
  phase(0.1, "preparing"),
  phase(0.4, "creating"),
  {
    type: "resource",
    ...common(0.9),
    operation: "create",
    kind: "kubernetes:core/v1:Namespace",
    name: "namespace",
  },
  phase(1.6, "starting"),
  { type: "pod", ...common(1.7), pod: "coordinator-x7k2p", role: "coordinator", state: "pending" },
  { type: "pod", ...common(4), pod: "coordinator-x7k2p", role: "coordinator", state: "running" },
  phase(5, "running"),
  {
    type: "log",
    ...common(6),
    source: "coordinator/driver",
    line: "\u001b]0;owned\u0007\u001b[2Jcounting words",
  },
  { type: "warning", ...common(7), message: "The API server does not answer." },
  { type: "outcome", ...common(20), outcome: report.outcome },
  phase(21, "destroying"),
  { type: "report", ...common(27.4), report },
];

beforeEach(() => {
  vi.useFakeTimers({ now: START });
});
afterEach(() => {
  vi.useRealTimers();
});

async function shown(options: {
  readonly json: boolean;
  readonly terminal: boolean;
  readonly report?: ReturnType<typeof success>;
}) {
  const err = screen(options.terminal);
  const out = screen(false);
  const reporter = createReporter({
    json: options.json,
    jobFile: "wordcount.yaml",
    err: err.stream,
    out: out.stream,
  });
  for (const event of events(options.report)) {
    vi.setSystemTime(Date.parse(event.at));
    vi.advanceTimersByTime(0);
    reporter.onEvent(event);
  }
  reporter.close();
  vi.useRealTimers();
  await new Promise((resolve) => setImmediate(resolve));
  return { err: err.text(), out: out.text() };
}

describe("the reporter", () => {
  it("prints plain lines where there is no terminal", async () => {
    const { err, out } = await shown({ json: false, terminal: false });
    await expect(`${err}${out}`).toMatchFileSnapshot("golden/plain.txt");
  });

  it("prints what failed, and what to type next", async () => {
    const { err, out } = await shown({ json: false, terminal: false, report: outOfMemory() });
    expect(err).toContain("out of memory: Container worker of pod workers-1 ran out of memory");
    expect(out).toContain("mayfly logs wordcount-11240600-k3fqz");
    expect(out).toContain("mayfly run --keep wordcount.yaml");
  });

  it("prints one event a line as JSON, and nothing else", async () => {
    const { err, out } = await shown({ json: true, terminal: true });
    const lines = out.trimEnd().split("\n");
    expect(lines.map((line) => RunEvent.parse(JSON.parse(line)))).toEqual(events());
    expect(err).toBe("");
  });

  it("keeps ended phases on a terminal and redraws the current one", async () => {
    const { err } = await shown({ json: false, terminal: true });
    const text = stripVTControlCharacters(err);
    expect(text).toContain("✓ making the cluster 1.2 s");
    expect(text).toContain("✓ the driver runs 16.0 s");
    expect(text).toContain("coordinator-x7k2p  running");
    // The last thing drawn was erased again.
    expect(err.lastIndexOf("\u001b[2K")).toBeGreaterThan(err.lastIndexOf("removing every object"));
  });

  it("takes escape sequences out of a tenant's log lines", async () => {
    const { err } = await shown({ json: false, terminal: true });
    expect(err).toContain("counting words");
    expect(err).not.toContain("owned");
    expect(err).not.toContain("\u001b[2Jcounting");
  });

  it("never throws, whatever the stream does", () => {
    const broken = screen(false).stream;
    vi.spyOn(broken, "write").mockImplementation(() => {
      throw new Error("EPIPE");
    });
    const reporter = createReporter({ json: false, err: broken, out: broken });
    for (const event of events()) {
      expect(() => {
        reporter.onEvent(event);
      }).not.toThrow();
    }
    expect(reporter.close).not.toThrow();
  });
});
