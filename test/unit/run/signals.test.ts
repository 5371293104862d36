import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { handleInterruptions } from "../../../jobs/run/signals.ts";
import type { Interruptions } from "../../../jobs/run/types.ts";

let said: string[];
let left: number[];
let interruptions: Interruptions;
const interrupt = (): boolean => process.emit("SIGINT");

beforeEach(() => {
  said = [];
  left = [];
  interruptions = handleInterruptions(
    (line) => said.push(line),
    (code) => left.push(code),
  );
  interruptions.observe({
    type: "phase",
    at: "2026-11-24T06:00:00.000Z",
    run: "pi-11240600-aaaaa",
    attempt: 1,
    phase: "destroying",
    elapsedSeconds: 3,
  });
});
afterEach(() => {
  interruptions.dispose();
});

describe("Ctrl-C", () => {
  test("once cancels, and says that the cluster is destroyed first", () => {
    interrupt();
    expect(interruptions.signal.aborted).toBe(true);
    expect(said[0]).toContain("destroyed first");
    expect(left).toEqual([]);
  });

  test("twice says what goes on and how long, and goes on", () => {
    interrupt();
    interrupt();
    expect(said[1]).toMatch(/Still destroying the cluster \(\d+\.\d s\)/);
    expect(left).toEqual([]);
  });

  test("three times leaves at once, and names the command that cleans up", () => {
    interrupt();
    interrupt();
    interrupt();
    expect(said[2]).toContain("npx mayfly destroy pi-11240600-aaaaa");
    expect(left).toEqual([130]);
  });

  test("SIGTERM counts the same", () => {
    process.emit("SIGTERM");
    expect(interruptions.signal.aborted).toBe(true);
  });

  test("after the run it is the shell's again", () => {
    const before = process.listenerCount("SIGINT");
    interruptions.dispose();
    expect(process.listenerCount("SIGINT")).toBe(before - 1);
  });
});
