import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { execute } from "../../../base/process.ts";
import { watchBackend } from "../../../jobs/engine/backend-watch.ts";

const STACK = "nightly-orders-1";

async function backend(): Promise<{ url: string; folder: string }> {
  const root = await mkdtemp(join(tmpdir(), "mayfly-backend-"));
  onTestFinished(async () => {
    await execute("umount", ["--lazy", root]);
    await rm(root, { recursive: true });
  });
  const folder = join(root, ".pulumi", "stacks", "mayfly-job");
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `${STACK}.json`), "{}");
  return { url: `${pathToFileURL(root).href}?metadata=skip`, folder };
}

function watch(url: string) {
  const watched = watchBackend(url, STACK, 5);
  onTestFinished(watched.close);
  return watched;
}

test("a backend that can be written is none to tell of, and nothing stays in it", async () => {
  const { url, folder } = await backend();
  const watched = watch(url);
  await sleep(50);
  watched.close();
  await sleep(20);
  expect(watched.unwritable.aborted).toBe(false);
  expect(await readdir(folder)).toEqual([`${STACK}.json`]);
});

test("a stack that is not there yet is not the file system's fault", async () => {
  const { url, folder } = await backend();
  await rm(folder, { recursive: true });
  const { unwritable } = watch(url);
  await sleep(50);
  expect(unwritable.aborted).toBe(false);
});

test("a backend in S3 is not watched", async () => {
  const { unwritable } = watch("s3://mayfly-state?region=eu-west-1");
  await sleep(20);
  expect(unwritable.aborted).toBe(false);
});

test.skipIf(process.getuid?.() !== 0)(
  "a full file system is told, with the stack and the folder (only root may mount one)",
  async () => {
    const root = await mkdtemp(join(tmpdir(), "mayfly-backend-full-"));
    onTestFinished(async () => {
      await execute("umount", ["--lazy", root]);
      await rm(root, { recursive: true });
    });
    const { code } = await execute("mount", ["-t", "tmpfs", "-o", "size=8k", "tmpfs", root]);
    expect(code).toBe(0);
    const folder = join(root, ".pulumi", "stacks", "mayfly-job");
    await mkdir(folder, { recursive: true });
    const { unwritable } = watch(pathToFileURL(root).href);
    await expect.poll(() => unwritable.aborted).toBe(true);
    expect(unwritable.reason).toBe(
      `The state of stack ${STACK} can't be written: no space is left on its file system (${folder})`,
    );
  },
);

test.skipIf(process.getuid?.() === 0)(
  "a folder without permission is told (not asked of root, whom permissions do not stop)",
  async () => {
    const { url, folder } = await backend();
    await chmod(folder, 0o500);
    const { unwritable } = watch(url);
    await expect.poll(() => unwritable.aborted).toBe(true);
    await chmod(folder, 0o700);
    expect(String(unwritable.reason)).toContain("permission is denied");
  },
);
