import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { projectDir } from "../../../base/paths.ts";
import { childEnv, execute } from "../../../base/process.ts";

let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "a checkout with spaces "));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

test("policy/run starts the pack of its own checkout, from any folder, by any link", async () => {
  const checkout = join(folder, "my checkout");
  await mkdir(join(checkout, "policy"), { recursive: true });
  await mkdir(join(checkout, "bin"));
  await copyFile(join(projectDir, "policy", "run"), join(checkout, "policy", "run"));
  await writeFile(join(checkout, "bin", "node"), '#!/bin/sh\npwd\nprintf "%s\\n" "$@"\n');
  await chmod(join(checkout, "bin", "node"), 0o755);
  await symlink(join(checkout, "policy", "run"), join(folder, "the pack"));
  await symlink(join(checkout, "policy"), join(folder, "the folder"));
  for (const path of ["the pack", "the folder/run"]) {
    const { stdout, stderr } = await execute(join(folder, path), ["127.0.0.1:4711"], { cwd: "/" });
    expect(stderr).toBe("");
    expect(stdout.trim().split("\n")).toEqual([
      checkout,
      join(checkout, "policy", "index.ts"),
      "127.0.0.1:4711",
    ]);
  }
});

test("the pack serves on a port that it prints, and ends when the process that started it is gone", async () => {
  // The shell is the engine here: it starts the pack and is killed, which leaves the pack nothing to read that from but its parent.
  const engine = spawn("/bin/sh", ["-c", '"$0" 127.0.0.1:4711 & wait', join(projectDir, "policy", "run")], {
    cwd: "/",
    env: childEnv(),
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(engine.stdout, "close");
  const [port] = (await once(engine.stdout.setEncoding("utf8"), "data")) as [string];
  expect(port).toMatch(/^\d+\n$/);
  engine.kill("SIGKILL");
  // The pack holds the other end of the pipe.
  await ended;
});
