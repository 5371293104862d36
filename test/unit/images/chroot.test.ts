import { execFileSync, spawn } from "node:child_process";
import { chmodSync, cpSync, mkdtempSync, rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, test } from "vitest";
import { projectDir } from "../../../base/paths.ts";
import { type InRoot, runInRoot } from "../../../images/build/chroot.ts";
import { missingImagePackages } from "../../../images/build/tools.ts";

// Outside of /tmp, which a root file system gets anew: this checkout may lie there.
const files = mkdtempSync("/var/tmp/mayfly-inputs-");
cpSync(`${projectDir}/images/spark/files`, files, { recursive: true });
chmodSync(files, 0o755);
afterAll(() => {
  rmSync(files, { recursive: true });
});

/** This machine's own file system serves as root: what is mounted over it is seen in there only. */
const inside = (command: string): InRoot => ({
  root: "/",
  user: "185:185",
  env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", SPARK_HOME: "/opt/spark" },
  inputs: { files },
  command: ["/bin/sh", "-c", command],
});

const able = process.getuid?.() === 0 && missingImagePackages().length === 0;
const running = (mark: string): number =>
  execFileSync("ps", ["-eo", "args"], { encoding: "utf8" })
    .split("\n")
    .filter((line) => line === mark).length;
/** Without those of pods, which come and go while a lab is up. */
const mounts = (): string[] =>
  execFileSync("cat", ["/proc/self/mounts"], { encoding: "utf8" })
    .split("\n")
    .filter((line) => !/kubelet|containerd|netns/.test(line));

describe.skipIf(!able)("a command in an image's file system", () => {
  test("runs as the image's user, with the given environment only", async () => {
    const said = await runInRoot(
      "id",
      inside('echo "$(id -u):$(id -g) $(env | grep -v PWD | sort | tr "\\n" " ")"'),
    );
    expect(said).toBe("185:185 PATH=/usr/sbin:/usr/bin:/sbin:/bin SPARK_HOME=/opt/spark \n");
  });

  test("has a network of its own, with nothing but loopback, and a name that resolves", async () => {
    const said = await runInRoot(
      "network",
      inside("ls /sys/class/net >/dev/null; cut -d: -f1 /proc/net/dev | tail -n +3; hostname"),
    );
    expect(said.replaceAll(" ", "").split("\n")).toEqual(["lo", "localhost", ""]);
  });

  test("sees its inputs and can't change them", async () => {
    const said = await runInRoot(
      "inputs",
      inside("ls /tmp/build/files; touch /tmp/build/files/x 2>/dev/null || echo read-only"),
    );
    expect(said.split("\n")).toEqual(expect.arrayContaining(["assemble.sh", "train.py", "read-only"]));
  });

  test("that fails says what it said last", async () => {
    const failing = runInRoot("training", inside("echo 'the worker wrote nothing' >&2; exit 3"));
    await expect(failing).rejects.toMatchObject({
      code: "image-build-failed",
      message: expect.stringMatching(/training.*exit code 3.*the worker wrote nothing/s) as unknown,
    });
  });

  test("leaves no process and no mount when it is given up", async () => {
    const before = mounts();
    const signal = AbortSignal.timeout(1500);
    await expect(runInRoot("sleep", { ...inside("sleep 86401 & sleep 86401"), signal })).rejects.toThrow();
    await sleep(500);
    expect(running("sleep 86401")).toBe(0);
    expect(mounts()).toEqual(before);
  });

  test("leaves no process when Mayfly is killed", async () => {
    const call = `import { runInRoot } from "${projectDir}/images/build/chroot.ts";
await runInRoot("sleep", ${JSON.stringify(inside("sleep 86402 & sleep 86402"))});`;
    const child = spawn(process.execPath, ["--input-type=module", "--eval", call], { stdio: "ignore" });
    for (let tries = 0; running("sleep 86402") < 2 && tries < 100; tries += 1) await sleep(100);
    expect(running("sleep 86402")).toBe(2);
    child.kill("SIGKILL");
    await sleep(500);
    expect(running("sleep 86402")).toBe(0);
  });
});
