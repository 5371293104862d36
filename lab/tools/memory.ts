import { join } from "node:path";
import { z } from "zod";
import { readIfThere, writeIfChanged } from "../host/files.ts";
import type { Remembered } from "./choice.ts";
import { toolsDir } from "./store.ts";

const Entry = z.strictObject({ artifact: z.string(), at: z.number(), reason: z.string() });

const fileOf = (tool: string): string => join(toolsDir(), `${tool}.unavailable.json`);

/** What an earlier look for an official download found; undefined if there was none or its note can't be read. */
export function recall(tool: string): Remembered | undefined {
  const text = readIfThere(fileOf(tool));
  if (text === undefined) return undefined;
  try {
    return Entry.parse(JSON.parse(text));
  } catch {
    // A note from another version of Mayfly, or a torn one: looking again costs seconds and writes a good one.
    return undefined;
  }
}

/** Notes that an official download can't be had, for {@link recall}. */
export async function remember(tool: string, entry: Remembered): Promise<void> {
  await writeIfChanged(fileOf(tool), `${JSON.stringify(entry, null, 2)}\n`);
}
