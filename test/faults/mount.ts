// Small file systems of their own, which can be full or read-only: needs root, as the lab does.
import { setTimeout as sleep } from "node:timers/promises";
import { execute } from "../../base/process.ts";

async function must(command: string, ...args: readonly string[]): Promise<void> {
  const { code, stderr } = await execute(command, args);
  if (code !== 0) throw new Error(`${command} ${args.join(" ")}: ${stderr}`);
}

/** Puts an empty file system over a folder. A place's end takes it away. @param size As of tmpfs: `40k`, `64m`. */
export async function mount(folder: string, size: string): Promise<void> {
  await must("mount", "-t", "tmpfs", "-o", `size=${size},mode=0700`, "tmpfs", folder);
}

/** @param options Such as `ro` or `size=64m`. */
export async function remount(folder: string, options: string): Promise<void> {
  // Busy while a file is open for writing.
  for (let tries = 0; ; tries++) {
    const { code, stderr } = await execute("mount", ["-o", `remount,${options}`, folder]);
    if (code === 0) return;
    if (tries === 50) throw new Error(`${folder} can't be remounted ${options}: ${stderr}`);
    await sleep(50);
  }
}
