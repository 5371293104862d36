import { z } from "zod";

/** One daemon of the lab, as data: what to run, on what it depends and how to tell that it works. */
export interface Unit {
  readonly name: string;
  /** Absolute path of the program. */
  readonly command: string;
  readonly args: readonly string[];
  /** Added to the allow-listed environment. Secrets stand here, never in `args`. */
  readonly env?: Readonly<Record<string, string>>;
  /** Whom it runs as; default: root, as whoever starts it. */
  readonly user?: { readonly uid: number; readonly gid: number };
  /** What asks it to end; default SIGTERM. */
  readonly stopSignal?: "SIGINT";
  /** Units that must be healthy before this one starts. */
  readonly after: readonly string[];
  /** Config files to write before the start: absolute path to text. Part of the fingerprint. */
  readonly files?: Readonly<Record<string, string>>;
  /** Files whose change needs a restart, such as certificates. */
  readonly watches?: readonly string[];
  /** Undefined if it works, else what is wrong. Must answer within about two seconds. */
  readonly health: () => Promise<string | undefined>;
}

/** Kept while a daemon runs: enough to know it again, and never to take another process for it. */
export const UnitRecord = z.strictObject({
  name: z.string().min(1),
  pid: z.int().positive(),
  startTicks: z.int().nonnegative().describe("Start of the process, clock ticks after boot."),
  bootId: z.string().describe("The boot in which it was started."),
  fingerprint: z.string().describe("Hash of everything the daemon was started with."),
  startedAt: z.iso.datetime(),
  stopSignal: z.literal("SIGINT").optional().describe("What asks it to end, where not SIGTERM."),
});
export type UnitRecord = z.infer<typeof UnitRecord>;

/** A record's text, or undefined if the file is damaged (a crash in mid-write): then the daemon counts as unknown. */
export function parseRecord(text: string): UnitRecord | undefined {
  try {
    const parsed = UnitRecord.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Units in groups, each of which needs only earlier groups. @throws Error on a cycle or an unknown name. */
export function startOrder(units: readonly Pick<Unit, "name" | "after">[]): string[][] {
  const known = new Set(units.map((unit) => unit.name));
  for (const unit of units) {
    const stranger = unit.after.find((name) => !known.has(name));
    if (stranger !== undefined)
      throw new Error(`unit ${unit.name} waits for ${stranger}, which does not exist`);
  }
  const groups: string[][] = [];
  const done = new Set<string>();
  while (done.size < units.length) {
    const group = units
      .filter((unit) => !done.has(unit.name) && unit.after.every((name) => done.has(name)))
      .map((unit) => unit.name);
    if (group.length === 0) throw new Error("units wait for each other");
    for (const name of group) done.add(name);
    groups.push(group);
  }
  return groups;
}
