// Boundary: node:fs's errors are told apart by their code.
import { randomBytes } from "node:crypto";
import { rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

/** Watches whether Pulumi could write a stack's state. */
export interface BackendWatch {
  /** Aborts when it could not twice in a row; the reason is a sentence for people. */
  readonly unwritable: AbortSignal;
  readonly close: () => void;
}

const EVERY_MS = 2000;
/** Room for what the next step adds to a state. */
const GROWTH = 16 * 1024;

/**
 * Tries every two seconds whether the folder of a backend in files takes a file of the state's size. Pulumi itself says nothing of
 * a state that it can't write: it tries each write eleven times within half a minute, in silence, and then the next step's
 * (https://github.com/pulumi/pulumi/blob/master/pkg/backend/diy/state.go). Other backends are not watched.
 */
export function watchBackend(backendUrl: string, stack: string, everyMs = EVERY_MS): BackendWatch {
  const unwritable = new AbortController();
  const closed = new AbortController();
  const folder = stacksFolder(backendUrl);
  if (folder !== undefined) void look(folder, stack, everyMs, unwritable, closed.signal);
  return {
    unwritable: unwritable.signal,
    close: () => {
      closed.abort();
    },
  };
}

/** https://www.pulumi.com/docs/iac/concepts/state-and-backends/ */
function stacksFolder(backendUrl: string): string | undefined {
  if (!backendUrl.startsWith("file:///")) return undefined;
  const url = new URL(backendUrl);
  url.search = "";
  return join(fileURLToPath(url), ".pulumi", "stacks", "mayfly-job");
}

async function look(
  folder: string,
  stack: string,
  everyMs: number,
  unwritable: AbortController,
  closed: AbortSignal,
): Promise<void> {
  let failed = 0;
  while (!closed.aborted) {
    const problem = await tryWrite(folder, stack);
    failed = problem === undefined ? 0 : failed + 1;
    if (failed === 2) {
      unwritable.abort(`The state of stack ${stack} can't be written: ${problem ?? ""} (${folder})`);
      return;
    }
    await sleep(everyMs, undefined, { signal: closed }).catch(() => undefined);
  }
}

/** Whether a file's name is that of a stack's try, which who is killed meanwhile leaves. */
export const isProbe = (name: string, stack: string): boolean =>
  name.startsWith(`.${stack}-`) && /^[0-9a-f]{8}\.probe$/.test(name.slice(stack.length + 2));

/** Why not; undefined where it can be written, or where that is not the file system's fault. */
async function tryWrite(folder: string, stack: string): Promise<string | undefined> {
  // A name that Pulumi takes for no stack.
  const probe = join(folder, `.${stack}-${randomBytes(4).toString("hex")}.probe`);
  try {
    const size = await stat(join(folder, `${stack}.json`)).then(
      (found) => found.size,
      () => 0,
    );
    await writeFile(probe, Buffer.alloc(size + GROWTH), { mode: 0o600 });
    return undefined;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    return WORDS.get(code);
  } finally {
    await rm(probe, { force: true }).catch(() => undefined);
  }
}

const WORDS: ReadonlyMap<string, string> = new Map([
  ["ENOSPC", "no space is left on its file system"],
  ["EDQUOT", "the disk quota is used up"],
  ["EROFS", "its file system is read-only"],
  ["EACCES", "permission is denied"],
  ["EPERM", "permission is denied"],
  ["EIO", "its disk fails"],
]);
