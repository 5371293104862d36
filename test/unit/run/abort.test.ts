import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { z } from "zod";
import { anySignal } from "../../../base/abort.ts";

setFlagsFromString("--expose-gc");
const collect = z.custom<() => void>((value) => typeof value === "function").parse(runInNewContext("gc"));

test("aborts with the first of its sources, and its reason", () => {
  const [one, other] = [new AbortController(), new AbortController()];
  const signal = anySignal([one.signal, other.signal]);
  expect(signal.aborted).toBe(false);
  other.abort("suspended");
  one.abort("too late");
  expect(signal.reason).toBe("suspended");
});

test("is aborted from the start where a source is", () => {
  const { signal } = new AbortController();
  expect(anySignal([signal, AbortSignal.abort("gone")]).reason).toBe("gone");
});

test("remembers the abort of a source that nobody holds any more", async () => {
  const combined = (() => {
    const source = new AbortController();
    const signal = anySignal([source.signal]);
    source.abort("stop");
    return signal;
  })();
  await sleep(0);
  collect();
  expect(combined.aborted).toBe(true);
});

test("aborts through several of them", () => {
  const source = new AbortController();
  const inner = anySignal([source.signal, new AbortController().signal]);
  const outer = anySignal([inner, new AbortController().signal]);
  source.abort("stop");
  expect(outer.reason).toBe("stop");
});
