// Detached runs on the real lab.
import { expect, test } from "vitest";
import { eventually } from "../lab/pods.ts";
import { jobFile } from "./run-process.ts";
import { expectEnded, mayfly, start, submit } from "./work-process.ts";

test("submitted twice with one key it is one run, which a worker brings to its end; the key of another spec is refused", async () => {
  const file = await jobFile();
  const run = await submit(file, "--key", "nightly");
  expect(await submit(file, "--key", "nightly")).toBe(run);
  const other = await mayfly("submit", await jobFile({ name: "other" }), "--key", "nightly");
  expect(other.code).toBe(73);
  expect(other.stderr).toContain(run);
  expect((await mayfly("wait", run, "--timeout", "1s")).code).toBe(75);

  expect((await mayfly("work", "--drain", "--slots", "2")).code).toBe(0);
  await expectEnded(run, 0);
});

test("kill -9 of the worker while it makes the cluster: another one brings the run to its end, nothing is left", async () => {
  const run = await submit(await jobFile());
  const first = start("work", "--json", "--slots", "1");
  await first.until('"type":"resource"');
  first.kill("SIGKILL");
  await first.done;

  expect((await mayfly("work", "--drain", "--slots", "1")).code).toBe(0);
  await expectEnded(run, 0);
  const shown = await mayfly("show", run);
  expect(shown.stdout).toContain("FENCE");
});

test("kill -9 of the worker while the job runs: another one only watches it on", async () => {
  const run = await submit(await jobFile({}, 25));
  const first = start("work", "--json", "--slots", "1");
  // By the ledger: what is not in there yet is done again.
  await eventually("running", async () => {
    const { stdout } = await mayfly("runs", "--state", "running", "--json");
    return stdout.includes(run) ? true : undefined;
  });
  first.kill("SIGKILL");
  await first.done;

  const second = await mayfly("resume", "--json");
  expect(second.code).toBe(0);
  expect(second.stdout).not.toContain('"operation":"create"');
  await expectEnded(run, 0);
});

test("cancelled in the queue it ends at once, at work its worker ends it, and asking again changes nothing", async () => {
  const queued = await submit(await jobFile());
  expect((await mayfly("cancel", queued)).code).toBe(0);
  expect((await mayfly("cancel", queued)).code).toBe(0);
  await expectEnded(queued, 130);

  const run = await submit(await jobFile({}, 600));
  const worker = start("work", "--json", "--drain", "--slots", "1");
  await worker.until('"phase":"starting"');
  expect((await mayfly("cancel", run)).code).toBe(0);
  expect((await mayfly("cancel", run)).code).toBe(0);
  expect((await worker.done).code).toBe(0);
  await expectEnded(run, 130);
});

test("SIGTERM: a worker hands a running job over, and the next one goes on with it at once", async () => {
  const run = await submit(await jobFile({}, 20));
  const first = start("work", "--json", "--slots", "1");
  await first.until('"phase":"running"');
  first.kill("SIGTERM");
  first.kill("SIGTERM");
  expect((await first.done).stdout).toContain('"end":"handed-over"');
  expect((await mayfly("work", "--drain", "--slots", "1")).code).toBe(0);
  await expectEnded(run, 0);
});
