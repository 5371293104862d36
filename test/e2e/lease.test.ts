import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { readConnection } from "../../lab/connection.ts";
import { labPaths } from "../../lab/paths.ts";
import { eventually, kubectl, temporaryNamespace } from "../lab/pods.ts";

const Line = z.object({
  event: z.string(),
  fence: z.int().optional(),
  holder: z.string().optional(),
  reason: z.string().optional(),
  at: z.int().optional(),
});
type Line = z.infer<typeof Line>;

/** A helper of its own: lease-holder.ts as a process. */
function startHolder(namespace: string, run: string) {
  const script = fileURLToPath(new URL("./lease-holder.ts", import.meta.url));
  const { kubeconfig } = readConnection(labPaths());
  const child = spawn(process.execPath, [script, kubeconfig, namespace, run], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  const lines: Line[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => lines.push(Line.parse(JSON.parse(line))));
  return {
    lines,
    signal: (name: NodeJS.Signals) => child.kill(name),
    until: (event: string, seconds = 20) =>
      eventually(event, () => Promise.resolve(lines.find((line) => line.event === event)), seconds),
    last: (event: string) => lines.findLast((line) => line.event === event),
  };
}

const newRun = (): string => `lease-${randomBytes(3).toString("hex")}`;

/** The tenant's namespace, and a run's name. */
async function place(): Promise<{ readonly namespace: string; readonly run: string }> {
  const { name, remove } = await temporaryNamespace("lease");
  onTestFinished(remove);
  return { namespace: name, run: newRun() };
}

const field = async (namespace: string, run: string, path: string): Promise<string> =>
  await kubectl(["get", "lease", run, "--namespace", namespace, "--output", `jsonpath={.spec.${path}}`]);

test("a lease is renewed while its holder lives, waited for by another, and taken over after kill -9 with the next fence", async () => {
  const { namespace, run } = await place();
  const first = startHolder(namespace, run);
  expect(await first.until("acquired")).toMatchObject({ fence: 1 });
  const second = startHolder(namespace, run);
  expect((await second.until("waiting")).holder).toBe(first.last("acquired")?.holder);
  const renewed = await field(namespace, run, "renewTime");
  // Longer than the lease: a holder that lives keeps it.
  await sleep(6000);
  expect(await field(namespace, run, "renewTime")).not.toBe(renewed);
  expect(second.last("acquired")).toBeUndefined();

  first.signal("SIGKILL");
  const since = performance.now();
  expect(await second.until("acquired")).toMatchObject({ fence: 2 });
  const took = performance.now() - since;
  expect(took).toBeGreaterThan(2500);
  expect(took).toBeLessThan(8000);
  expect(await field(namespace, run, "leaseTransitions")).toBe("1");

  second.signal("SIGTERM");
  await second.until("released");
  const third = startHolder(namespace, run);
  expect(await third.until("acquired", 4)).toMatchObject({ fence: 3 });
});

test("a holder that was stopped for longer than its lease does nothing more when it goes on", async () => {
  const { namespace, run } = await place();
  const first = startHolder(namespace, run);
  await first.until("worked");
  const second = startHolder(namespace, run);
  await second.until("waiting");
  first.signal("SIGSTOP");
  expect(await second.until("worked")).toBeDefined();
  const taken = Date.now();
  first.signal("SIGCONT");
  expect(await first.until("lost", 5)).toMatchObject({ reason: "expired" });
  expect(first.lines.at(-1)?.event).toBe("lost");
  // One pass of the guard may have been behind it when it was stopped; no later one.
  expect((first.last("worked")?.at ?? 0) < taken).toBe(true);
  await sleep(2000);
  expect(second.last("lost")).toBeUndefined();
  expect((second.last("worked")?.at ?? 0) > taken).toBe(true);
});

test("of five that start at once exactly one has the lease", async () => {
  const { namespace, run } = await place();
  const holders = Array.from({ length: 5 }, () => startHolder(namespace, run));
  await eventually("one with the lease and four that wait", () => {
    const events = holders.map(({ lines }) => lines[0]?.event);
    return Promise.resolve(events.includes(undefined) ? undefined : events);
  });
  await sleep(1000);
  expect(holders.filter(({ last }) => last("acquired") !== undefined)).toHaveLength(1);
});
