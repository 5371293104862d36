import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { EXIT } from "../../../base/errors.ts";
import { projectDir } from "../../../base/paths.ts";

interface Output {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function instances(...words: readonly string[]): Promise<Output> {
  try {
    const { stdout, stderr } = await promisify(execFile)("bin/mayfly", ["instances", ...words], {
      cwd: projectDir,
    });
    return { code: 0, stdout, stderr };
  } catch (error) {
    if (error instanceof Error && "code" in error && "stdout" in error && "stderr" in error) {
      return { code: Number(error.code), stdout: String(error.stdout), stderr: String(error.stderr) };
    }
    throw error;
  }
}

describe("mayfly instances", () => {
  it("shows a type's figures in one line, prices of the wanted region", async () => {
    const { code, stdout } = await instances("m7gd.4xlarge", "c8i.large", "--region", "eu-west-1");
    expect(code).toBe(0);
    const lines = stdout.split("\n").map((line) => line.trim().split(/ {2,}/));
    expect(lines[1]).toEqual([
      "m7gd.4xlarge",
      "arm64",
      "16",
      "64 GiB",
      "15890m",
      "59465 MiB",
      "110",
      "7.5 to 15 Gbit/s",
      "1 × 950 GB",
      "$0.9526 (2025-05-28)",
    ]);
    expect(lines[2]?.at(-1)).toBe("unknown");
    expect(stdout).toContain("Estimates");
  });

  it("shows a whole family as JSON", async () => {
    const { stdout } = await instances("r7i", "--json");
    const types: unknown = JSON.parse(stdout);
    expect(types).toHaveLength(9);
    expect(types).toHaveProperty([0, "name"], "r7i.large");
    expect(types).toHaveProperty([0, "pricePerHour", "amount"], 0.1323);
    expect(types).toHaveProperty([8, "allocatable", "cpu"], 191_450);
  });

  it("names the families where no type is named", async () => {
    const { stdout } = await instances();
    expect(stdout).toContain("740 instance types of 80 families: m6a, ");
  });

  it("ends with the code for invalid input and the nearest name for what it does not know", async () => {
    const type = await instances("m7g.4xlrge");
    expect(type.code).toBe(EXIT.invalidInput);
    expect(type.stderr).toContain('Did you mean "m7g.4xlarge"?');
    const region = await instances("m7g", "--region", "eu-west-9");
    expect(region.code).toBe(EXIT.invalidInput);
    expect(region.stderr).toContain('Did you mean "eu-west-1"?');
  });
});
