// `mayfly …` in this process, as jobs/cli/main.ts does it, with what it prints.
import { CommanderError } from "@commander-js/extra-typings";
import { vi } from "vitest";
import { EXIT, UserError } from "../../base/errors.ts";
import { printError } from "../../jobs/cli/output.ts";
import { buildProgram } from "../../jobs/cli/program.ts";

export interface Printed {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export async function mayfly(...args: readonly string[]): Promise<Printed> {
  let out = "";
  let err = "";
  const stdout = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    out += String(text);
    return true;
  });
  const stderr = vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    err += String(text);
    return true;
  });
  const before = process.exitCode;
  process.exitCode = EXIT.ok;
  try {
    await buildProgram().parseAsync(["node", "mayfly", ...args]);
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    } else if (error instanceof UserError) {
      printError(error, args.includes("--json"));
      process.exitCode = error.exitCode;
    } else {
      throw error;
    }
  } finally {
    stdout.mockRestore();
    stderr.mockRestore();
  }
  const code = process.exitCode;
  process.exitCode = before;
  return { code, out, err };
}
