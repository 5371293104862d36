// The commands for streams as far as they ask the ledger alone, on each database.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { clicks } from "../unit/stream/clicks.ts";
import { mayfly } from "./command.ts";
import { onEachStore } from "./each-store.ts";
import { submission } from "./stores.ts";

const NEWEST = "s3://demo-output/state/clicks/savepoints/savepoint-1-newest";
const OLDER = "s3://demo-output/state/clicks/savepoints/savepoint-1-older";

onEachStore("the command line for streams", (store) => {
  let spec = "";

  beforeEach(async () => {
    vi.stubEnv("MAYFLY_LEDGER", store.url);
    vi.stubEnv("XDG_STATE_HOME", join(store.folder, "state"));
    await store.ledger.submit(submission("clicks-1", { spec: clicks, holder: "helper-1" }));
    await store.ledger.submit(submission("pi-1", { holder: "helper-1" }));
    await store.ledger.update("clicks-1", 1, { state: "running", attempt: 1 });
    for (const [location, at] of [
      [OLDER, "2026-11-24T06:00:00.000Z"],
      [NEWEST, "2026-11-24T07:00:00.000Z"],
    ] as const) {
      await store.ledger.recordSavepoint({
        location,
        run: "clicks-1",
        tenant: "demo",
        job: "clicks",
        environment: "lab",
        attempt: 1,
        kind: "savepoint",
        reason: "asked",
        flinkVersion: "2.3.0",
        format: "native",
        at,
      });
    }
    spec = join(store.folder, "clicks.json");
    await writeFile(spec, JSON.stringify(clicks));
  });
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  test.each([
    ["suspend"],
    ["resume"],
    ["savepoint"],
    ["savepoints"],
    ["upgrade", "SPEC"],
    ["rescale", "--parallelism=2"],
  ])("%s of what is not known ends with 66 and names what is", async (command, ...more) => {
    const rest = more.map((word) => (word === "SPEC" ? spec : word));
    const { code, err } = await mayfly(command, "click", ...rest);
    expect(code).toBe(66);
    expect(err).toContain("The ledger knows of no run and of no job click.");
    expect(err).toContain("  where: click");
    expect(err).toContain('Did you mean "clicks"?');
  });

  test.each([["suspend"], ["resume"], ["savepoint"], ["savepoints"], ["upgrade", "SPEC"]])(
    "%s of a job that ends by itself ends with 73 and says what there is for it",
    async (command, ...more) => {
      const rest = more.map((word) => (word === "SPEC" ? spec : word));
      const { code, err } = await mayfly(command, "pi-1", ...rest);
      expect(code).toBe(73);
      expect(err).toContain("Run pi-1 is of a job that ends by itself, not of a stream.");
      expect(err).toContain("npx mayfly cancel pi-1");
    },
  );

  test("cancel of a live stream ends with 73 and asks nothing, and names both ways", async () => {
    const { code, err } = await mayfly("cancel", "clicks-1");
    expect(code).toBe(73);
    expect(err).toContain("Run clicks-1 is a live stream");
    expect(err).toContain("npx mayfly suspend clicks-1");
    expect(err).toContain("--discard-state");
    expect((await store.ledger.get("clicks-1")).cancelRequestedAt).toBeUndefined();
  });

  describe("savepoints", () => {
    test("lists them, newest first", async () => {
      const { code, out } = await mayfly("savepoints", "clicks");
      expect(code).toBe(0);
      expect(out.indexOf(NEWEST)).toBeGreaterThan(-1);
      expect(out.indexOf(OLDER)).toBeGreaterThan(out.indexOf(NEWEST));
    });

    test("as JSON, with what is needed", async () => {
      const { out } = await mayfly("savepoints", "clicks", "--json");
      expect(JSON.parse(out)).toMatchObject([
        { location: NEWEST, run: "clicks-1", needed: false },
        { location: OLDER },
      ]);
    });

    test("of a stream without any says so", async () => {
      await store.ledger.submit(submission("orders-1", { spec: { ...clicks, name: "orders" } }));
      expect((await mayfly("savepoints", "orders")).out).toBe("No savepoints.\n");
    });
  });

  describe("a wrong command line", () => {
    test.each([
      [["suspend", "clicks", "--max-age", "2m"], "--max-age is for --last-state"],
      [["suspend", "clicks", "--timeout", "soon"], "It must be a duration such as 90s or 15m."],
      [["resume", "--job", "clicks.yaml"], "which stream?"],
      [["rescale", "clicks"], "to which size?"],
      [["rescale", "clicks", "--task-managers", "0"], "It must be a whole number above 0."],
      [["savepoints", "clicks", "--keep", "2", "--deleted"], "only one of"],
    ])("%j ends with 64 and says what is wrong", async (args, says) => {
      const { code, err } = await mayfly(...args);
      expect(code).toBe(64);
      expect(err).toContain(says);
    });
  });
});
