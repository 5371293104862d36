// A worker whose machine stands still while another one takes its run over, and that then goes on as if nothing had been.
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { jobFile, objectsOf } from "./run-process.ts";
import { expectEnded, mayfly, startElsewhere, submit } from "./work-process.ts";

test.each([
  ["about to make the cluster", '"phase":"creating"'],
  ["in the midst of making it", '"type":"resource"'],
])(
  "stopped %s: its run is cancelled by another one, and it makes nothing more of it once it goes on",
  async (_when, text) => {
    const run = await submit(await jobFile());
    const stale = startElsewhere("elsewhere", "work", "--json", "--slots", "1");
    onTestFinished(() => stale.killAll("SIGKILL"));
    await stale.until(text);
    // Not while it writes to SQLite, which would lock out its successor as well.
    await sleep(100);
    await stale.killAll("SIGSTOP");

    expect((await mayfly("cancel", run)).code).toBe(0);
    expect((await mayfly("work", "--drain", "--slots", "1")).code).toBe(0);
    await expectEnded(run, 130);

    const before = stale.lines.length;
    await stale.killAll("SIGCONT");
    await stale.until('"end":"not-ours"');
    // Pulumi's own processes may go on a little longer.
    await sleep(5000);
    expect(await objectsOf(run)).toEqual([]);
    await expectEnded(run, 130);
    const said = stale.lines.slice(before).join("\n");
    expect(said).not.toContain('"type":"outcome"');
    expect(said).not.toContain('"type":"report"');
    stale.kill("SIGTERM");
    expect((await stale.done).code).toBe(0);
  },
);
