import { describe, expect, it } from "vitest";
import {
  buildReport,
  lastDriverLines,
  plannedEvent,
  podReports,
  renderJson,
  renderMarkdown,
  renderReport,
  renderSummary,
} from "../../../jobs/report/index.ts";
import { nextCommands } from "../../../jobs/report/words.ts";
import { RunEvent } from "../../../schema/events.ts";
import { RunReport } from "../../../schema/report.ts";
import { at, observe, plan, START, sawPod, underWay } from "../watch/scenario.ts";
import { input, neverStarted, outOfMemory, success, successFacts } from "./sample.ts";

const texts = (render: (report: RunReport) => string): string =>
  [success(), outOfMemory(), neverStarted()].map(render).join("\n────────\n");

describe("a report", () => {
  it("holds phases, milestones, pods, usage and cost", () => {
    const report = success();
    expect(report.outcome).toEqual({ kind: "succeeded" });
    expect(report.phases.map(({ seconds }) => seconds)).toEqual([0.4, 1.2, 3.4, 15, 1.25, 5.75, 0.4]);
    expect(report.milestones).toEqual({ objectsExist: 1.6, driverStarted: 5, result: 20, gone: 27 });
    expect(report.pods.map(({ name, role, secondsHeld }) => [name, role, secondsHeld])).toEqual([
      // From the scheduler's choice at second 2 until the sidecar's end at 21, both by the cluster's clock.
      ["coordinator-x7k2p", "coordinator", 19],
      ["workers-0", "worker", 23],
      ["workers-1", "worker", 23],
    ]);
    const driver = report.pods[0]?.containers.find(({ name }) => name === "driver");
    expect(driver).toEqual({
      name: "driver",
      limitMib: plan.coordinator.driver.memory,
      exitCode: 0,
      reason: "Completed",
      restarts: 0,
      peakMemoryMib: 420.4,
      cpuSeconds: 9.5,
    });
  });

  it("counts what was asked as limit times the time it was held", () => {
    const { usage, cost } = success();
    const coordinator = plan.coordinator.driver.cpu + (plan.coordinator.sidecars[0]?.cpu ?? 0);
    const asked = (coordinator * 19 + 2 * plan.workers.container.cpu * 23) / 1000;
    expect(usage.asked.coreSeconds).toBeCloseTo(asked, 0);
    // Trapezoids over ten seconds of samples: (300 + 420.4) / 2 and (500 + 700) / 2 MiB.
    expect(usage.used).toEqual({ coreSeconds: 17.5, gibSeconds: 9.4 });
    expect(cost?.amount).toBeCloseTo((0.42 * asked) / ((plan.quota.cpu / 1000) * 3600), 4);
  });

  it("says unknown instead of zero where nobody could measure", () => {
    const facts = [
      ...underWay(),
      { type: "usage-refused", at: at(6), message: "nodes/proxy is forbidden" },
    ] as const;
    const report = buildReport(input(facts));
    expect(report.usage).not.toHaveProperty("used");
    expect(renderReport(report, { colour: false, width: 100 })).toContain("unknown");
    expect(renderMarkdown(report)).toContain("unknown");
  });

  it("charges a pod that another helper had for longer with all of its time", () => {
    const found = sawPod(600, "worker", {
      state: { worker: { running: { startedAt: "2026-11-24T06:00:04Z" } } },
    });
    const pods = podReports(plan, observe([found]), new Date(at(700)));
    // Put on its node 2 s after the submission.
    expect(pods).toMatchObject([{ name: "workers-0", secondsHeld: 698 }]);
  });

  it("charges no time to a pod that never had a node", () => {
    const waiting = sawPod(3, "worker", { name: "workers-9", node: null, phase: "Pending" });
    const pods = podReports(plan, observe([waiting]), new Date(at(300)));
    expect(pods).toMatchObject([{ name: "workers-9", phase: "Pending", secondsHeld: 0, containers: [] }]);
  });

  it("is JSON that its schema reads", () => {
    expect(RunReport.parse(JSON.parse(renderJson(outOfMemory())))).toEqual(outOfMemory());
  });

  it("is told on a terminal", async () => {
    await expect(texts((report) => renderReport(report, { colour: false, width: 100 }))).toMatchFileSnapshot(
      "golden/report-terminal.txt",
    );
  });

  it("is told in Markdown", async () => {
    await expect(texts(renderMarkdown)).toMatchFileSnapshot("golden/report-markdown.txt");
  });

  it("is told in one line", () => {
    expect(texts(renderSummary)).toMatchInlineSnapshot(`
      "wordcount-11240600-k3fqz succeeded in 27.4 s: 3 pods, 35.5 core-seconds, nothing left
      ────────
      wordcount-11240600-k3fqz out of memory in 27.4 s: 3 pods, 34.6 core-seconds, nothing left. Container worker of pod workers-1 ran out of memory (limit 1689 MiB): the kernel killed a process of its executor at the limit.
      ────────
      wordcount-11240600-k3fqz refused in 27.4 s: 1 pod, 0 core-seconds, left behind: Namespace demo-wordcount-11240600-k3fqz: held by finalizer example.com/hold. Quota plan refuses a pod: it asks for pods=1, pods=1 is in use, the limit is pods=1."
    `);
  });

  it("keeps a tenant's text from becoming Markdown or HTML", () => {
    const evil = {
      ...success(),
      outcome: { kind: "lost", message: "a | b <script>\n`x` [y](z) *w*" } as const,
    };
    const line = renderMarkdown(evil)
      .split("\n")
      .find((text) => text.startsWith("**a"));
    expect(line).toBe("**a \\| b &lt;script> \\`x\\` \\[y\\](z) \\*w\\***");
  });

  it("names the commands one needs next", () => {
    expect(nextCommands(success(), "job.yaml")).toEqual([
      "npx mayfly status wordcount-11240600-k3fqz",
      "npx mayfly logs wordcount-11240600-k3fqz",
    ]);
    expect(nextCommands(outOfMemory(), "job.yaml")).toContain("npx mayfly run --keep job.yaml");
    expect(nextCommands({ ...success(), kept: true }, undefined)).toContain(
      "npx mayfly destroy wordcount-11240600-k3fqz",
    );
    expect(nextCommands(neverStarted(), undefined)[0]).toBe("npx mayfly destroy wordcount-11240600-k3fqz");
  });
});

describe("the planned event", () => {
  it("counts every pod and container", () => {
    const event = plannedEvent(
      { ...plan, cost: { perHour: 0.42, currency: "EUR", asOf: "2026-11-01" } },
      new Date(START),
    );
    expect(RunEvent.parse(event)).toEqual(event);
    expect(event).toMatchObject({ pods: 3, cost: { perHour: 0.42 } });
    expect(event.cpu).toBe(
      (plan.coordinator.sidecars[0]?.cpu ?? 0) + plan.coordinator.driver.cpu + 2 * plan.workers.container.cpu,
    );
  });
});

describe("the last driver lines", () => {
  it("are the newest, oldest first", () => {
    expect(lastDriverLines(observe(successFacts))).toEqual([
      "26/11/24 06:00:05 INFO SparkContext: Running Spark version 4.0.1",
    ]);
  });
});

describe("a report of a further attempt", () => {
  const report = (): RunReport => ({
    ...success(),
    attempt: 2,
    earlier: [{ attempt: 1, startedAt: "2026-11-24T06:00:00.000Z", outcome: outOfMemory().outcome }],
    larger: { workers: { from: 896, to: 1344 } },
  });

  it.each([
    ["table", (it: RunReport) => renderReport(it, { width: 300, colour: false })],
    ["Markdown", renderMarkdown],
  ])("names those before and what it got more of: %s", (_name, render) => {
    expect(render(report())).toContain("Attempt 1: out of memory. Container");
    expect(render(report())).toContain("More memory than the spec says: workers 896 → 1344 MiB.");
  });
});
