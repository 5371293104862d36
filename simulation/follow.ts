import { open } from "node:fs/promises";

/** How often a growing file is looked at. */
const EVERY_MS = 100;

/** A file that another process writes, line by line. */
export interface Following {
  /** Takes what is left and stops. */
  readonly end: () => Promise<void>;
}

/**
 * Calls `take` for each whole line of a file as it grows; the file may not be there yet.
 *
 * An error of `take`, or of the file system, is thrown by `end`.
 */
export function followLines(path: string, take: (line: string) => void): Following {
  let position = 0;
  let rest = Buffer.alloc(0);
  let failure: { readonly error: unknown } | undefined;

  const read = async (): Promise<void> => {
    const chunk = await readFrom(path, position);
    position += chunk.length;
    rest = Buffer.concat([rest, chunk]);
    const end = rest.lastIndexOf("\n");
    if (end === -1) return;
    const lines = rest.subarray(0, end).toString("utf8").split("\n");
    rest = rest.subarray(end + 1);
    for (const line of lines) if (line !== "") take(line);
  };

  let reading = Promise.resolve();
  const next = (): Promise<void> => {
    reading = reading.then(read).catch((error: unknown) => {
      failure ??= { error };
    });
    return reading;
  };
  const timer = setInterval(() => void next(), EVERY_MS);
  return {
    end: async () => {
      clearInterval(timer);
      await next();
      if (failure !== undefined) throw failure.error;
    },
  };
}

async function readFrom(path: string, position: number): Promise<Buffer> {
  try {
    await using file = await open(path);
    const { size } = await file.stat();
    const buffer = Buffer.alloc(Math.max(size - position, 0));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
    return buffer.subarray(0, bytesRead);
  } catch (error) {
    // Not begun yet, or never: a CLI that refuses its arguments writes no log.
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return Buffer.alloc(0);
    throw error;
  }
}
