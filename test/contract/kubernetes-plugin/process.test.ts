import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, it, onTestFinished } from "vitest";
import { eventually } from "./api.ts";
import { IS_STAND_IN, PLUGIN_FOLDER, timed } from "./harness.ts";

const EXECUTABLE = join(PLUGIN_FOLDER, "pulumi-resource-kubernetes");
/** An engine that is not there: the plugin must not need it to start. */
const ENGINE = "127.0.0.1:1";

function start(command: string, args: readonly string[]): ChildProcess {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  return child;
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error("no output");
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  return line;
}

const isAlive = async (pid: number): Promise<boolean> => {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return status !== "" && !status.includes("State:\tZ");
};

describe("the plugin's process", () => {
  it("prints its port on the first line, and starts within the memory and time that a run can spare", async () => {
    const child = start(EXECUTABLE, [ENGINE]);
    const [time, line] = await timed(firstLine(child));
    expect(line).toMatch(/^\d+$/);
    // Generous, for shared machines: 0.2 s on an idle one.
    expect(time).toBeLessThan(5000);
    if (!IS_STAND_IN) return;
    const status = await readFile(`/proc/${child.pid ?? 0}/status`, "utf8");
    expect(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1])).toBeLessThan(120_000);
  });

  it("takes flags before the engine's address", async () => {
    expect(await firstLine(start(EXECUTABLE, ["--logtostderr", "-v=9", ENGINE]))).toMatch(/^\d+$/);
  });

  it.each(["SIGINT", "SIGTERM"] as const)("ends at once on %s: the engine waits for it", async (signal) => {
    const child = start(EXECUTABLE, [ENGINE]);
    await firstLine(child);
    const exit = once(child, "exit");
    child.kill(signal);
    const [time] = await timed(exit);
    expect(time).toBeLessThan(2000);
  });

  it.runIf(IS_STAND_IN)("ends by itself when its engine was killed", async () => {
    const engine = start("/bin/sh", ["-c", `"${EXECUTABLE}" ${ENGINE} & echo $!; wait`]);
    const pid = Number(await firstLine(engine));
    expect(await isAlive(pid)).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    engine.kill("SIGKILL");
    await eventually("the plugin's end", async () => ((await isAlive(pid)) ? undefined : true));
  });
});
