import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { chmod, mkdir, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

/** The file's text, or undefined where there is none. Other errors are thrown. */
export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Whether a file system call failed because there is nothing (any more), which with /proc is an ordinary answer. */
export function isMissing(error: unknown): boolean {
  return errorCode(error) === "ENOENT" || errorCode(error) === "ESRCH" || errorCode(error) === "ENOTDIR";
}

/** `ENOENT` and the like, if the error carries one. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** Writes a file in one step (readers see the old or the new text), only where the text differs. True if written. */
export async function writeIfChanged(path: string, text: string, mode = 0o600): Promise<boolean> {
  if (existsSync(path) && readFileSync(path, "utf8") === text) {
    await chmod(path, mode);
    return false;
  }
  await mkdir(dirname(path), { recursive: true });
  const draft = `${path}.${process.pid}.tmp`;
  await writeFile(draft, text, { mode });
  await chmod(draft, mode);
  await rename(draft, path);
  return true;
}

/** SHA-256 in hex of the parts, each closed by a zero byte so that parts can't run into each other. */
export function digest(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part).update("\0");
  return hash.digest("hex");
}
