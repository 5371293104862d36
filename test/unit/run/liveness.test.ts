import { spawn } from "node:child_process";
import { chmodSync, copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { helperLives, helperOf, holderOf, pulumiLives, thisHelper } from "../../../jobs/run/liveness.ts";

describe("a helper, by its name in ledger and leases", () => {
  test("lives while its process does", async () => {
    const helper = await thisHelper();
    expect(await helperLives(helper)).toBe(true);
    expect(helperOf(holderOf(helper))).toEqual(helper);
  });

  test("is gone when another process has its id: a container that was started again in the same pod", async () => {
    const before = { ...(await thisHelper()), startedAt: "4711" };
    expect(before.host).toBe(hostname());
    expect(await helperLives(before)).toBe(false);
  });

  test("is not known about where it ran on another machine, or in another pod", async () => {
    const elsewhere = { ...(await thisHelper()), host: "worker-7c95c99646-kgg22" };
    expect(await helperLives(elsewhere)).toBeUndefined();
  });
});

describe.runIf(process.platform === "linux")("the owner of a lock", () => {
  test("lives while a Pulumi has its id", async () => {
    const folder = mkdtempSync(join(tmpdir(), "mayfly-liveness-"));
    const path = join(folder, "pulumi");
    copyFileSync("/bin/sleep", path);
    chmodSync(path, 0o755);
    const pulumi = spawn(path, ["60"], { stdio: "ignore" });
    onTestFinished(() => {
      pulumi.kill("SIGKILL");
      rmSync(folder, { recursive: true });
    });
    await new Promise((resolve) => pulumi.once("spawn", resolve));
    const { pid = 0 } = pulumi;
    expect(await pulumiLives(pid)).toBe(true);
    pulumi.kill("SIGKILL");
    await new Promise((resolve) => pulumi.once("exit", resolve));
    expect(await pulumiLives(pid)).toBe(false);
  });

  test("is dead where its id is some other process's now", async () => {
    expect(await pulumiLives(process.pid)).toBe(false);
  });
});
