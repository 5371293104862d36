// The commands around the queue, on each database; no cluster is asked.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { stringify } from "yaml";
import { DEFAULT_TENANT_LIMITS, type TenantLimits } from "../../schema/service.ts";
import { environment, wordcount } from "../unit/plan/sample.ts";
import { connection } from "../unit/run/fakes.ts";
import { mayfly, type Printed } from "./command.ts";
import { onEachStore } from "./each-store.ts";
import { helperProcess } from "./stores.ts";

const contract = environment();

/** A text with this in it. */
const saying = (part: string): unknown => expect.stringContaining(part);

onEachStore("the command line with a ledger", (store) => {
  let job = "";

  /** What the environment lets tenant acme have. */
  const allow = async (limits: Partial<TenantLimits>): Promise<void> => {
    const tenants = contract.tenants.map((tenant) =>
      tenant.id === "acme" ? { ...tenant, limits: { ...DEFAULT_TENANT_LIMITS, ...limits } } : tenant,
    );
    await writeFile(join(store.folder, "contract.json"), JSON.stringify({ ...contract, tenants }));
  };
  const write = async (name: string, changes: Readonly<Record<string, unknown>> = {}): Promise<string> => {
    const path = join(store.folder, name);
    await writeFile(path, stringify({ ...wordcount(), ...changes }));
    return path;
  };
  const submit = async (...args: readonly string[]): Promise<string> => {
    const { code, out, err } = await mayfly("submit", job, ...args);
    expect([code, err]).toEqual([0, ""]);
    return out.trim();
  };
  const json = ({ out }: Printed): unknown => JSON.parse(out);

  beforeEach(async () => {
    vi.stubEnv("MAYFLY_LEDGER", store.url);
    vi.stubEnv("XDG_STATE_HOME", join(store.folder, "state"));
    vi.stubEnv("MAYFLY_CONNECTION", join(store.folder, "connection.json"));
    const known = { ...connection, contract: join(store.folder, "contract.json") };
    await writeFile(join(store.folder, "connection.json"), JSON.stringify(known));
    await allow({});
    job = await write("job.yaml");
  });
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  describe("submit", () => {
    test("prints the run's id alone, and as JSON whether it is new", async () => {
      const run = await submit("--key", "nightly");
      expect(run).toMatch(/^wordcount-\d{8}-[a-z0-9]{5}$/);
      expect(json(await mayfly("submit", job, "--key", "nightly", "--json"))).toEqual({
        run,
        created: false,
      });
      expect(await submit()).not.toBe(run);
    });

    test("records the interval in UTC, class and priority; show tells them and how the tenant stands", async () => {
      await allow({ serviceClass: "urgent", running: 7, queued: 40 });
      job = await write("urgent.yaml", { serviceLevel: { class: "urgent" } });
      const run = await submit(
        "--priority",
        "-3",
        "--interval-start",
        "2026-11-23",
        "--interval-end",
        "2026-11-24T01:00:00+01:00",
      );
      expect(await store.ledger.get(run)).toMatchObject({
        priority: 9997,
        interval: { start: "2026-11-23T00:00:00.000Z", end: "2026-11-24T00:00:00.000Z" },
      });
      const { out } = await mayfly("show", run);
      expect(out).toMatch(/service +urgent, priority -3/);
      expect(out).toMatch(/data +2026-11-23T00:00:00.000Z to 2026-11-24T00:00:00.000Z/);
      expect(out).toMatch(/tenant +acme has 0 of 7 at work, 1 of 40 waiting/);
    });

    test("shows a run whose environment is another machine's without that", async () => {
      const run = await submit();
      await writeFile(join(store.folder, "connection.json"), "{}");
      const { code, out } = await mayfly("show", run);
      expect([code, /has \d+ of/.test(out)]).toEqual([0, false]);
    });

    test("refuses a class above the tenant's, and names the nearest where there is none of its name", async () => {
      job = await write("urgent.yaml", { serviceLevel: { class: "urgent" } });
      expect(await mayfly("submit", job)).toMatchObject({
        code: 14,
        err: saying("Jobs of tenant acme may be standard at most, and this one is urgent."),
      });
      job = await write("typo.yaml", { serviceLevel: { class: "urgnt" } });
      expect(await mayfly("submit", job)).toMatchObject({
        code: 65,
        err: saying('one of batch, standard, urgent (is "urgnt"); did you mean urgent?'),
      });
      expect(await store.ledger.list()).toEqual([]);
    });

    test("refuses what is one too many for the tenant's queue, but not what is in it by its key", async () => {
      await allow({ queued: 2 });
      const first = await submit("--key", "night-1");
      await submit("--key", "night-2");
      const refused = await mayfly("submit", job, "--key", "night-3");
      expect(refused).toMatchObject({
        code: 69,
        err: saying("Tenant acme has 2 runs waiting; 2 may."),
      });
      expect(await submit("--key", "night-1")).toBe(first);
    });

    test("refuses a key that comes with another spec, naming the first run", async () => {
      const run = await submit("--key", "nightly");
      job = await write("other.yaml", { arguments: ["s3://acme-data/other"] });
      const refused = await mayfly("submit", job, "--key", "nightly", "--json");
      expect(refused.code).toBe(73);
      expect(json(refused)).toMatchObject({ type: "error", code: "key-reused", path: `run ${run}` });
    });

    test.each([
      [["--interval-start", "2026-11-23"], "has a start and an end"],
      [["--interval-start", "2026-11-24", "--interval-end", "2026-11-23"], "ends before it starts"],
      [["--interval-start", "2026-11-24", "--interval-end", "2026-11-24"], "or is empty"],
      [["--interval-start", "2026-02-30", "--interval-end", "2026-03-01"], "Not a time: 2026-02-30"],
      [["--interval-start", "2026-11-23T06:00", "--interval-end", "2026-11-24"], "Not a time"],
      [["--interval-start", "yesterday", "--interval-end", "today"], "Not a time: yesterday"],
      [["--priority", "1001"], "Not a priority: 1001"],
      [["--priority", "high"], "Not a priority: high"],
      [["--timeout", "5m"], "--timeout is for --wait"],
      [["--wait", "--timeout", "5"], "Not a duration: 5"],
    ])("refuses %j and queues nothing", async (args, message) => {
      const { code, err } = await mayfly("submit", job, ...args);
      expect(code).toBe(64);
      expect(err).toContain(message);
      expect(await store.ledger.list()).toEqual([]);
    });

    test("--wait ends with the outcome's code once the run has ended, or 75 when the time is up", async () => {
      const waiting = await mayfly("submit", job, "--key", "nightly", "--wait", "--timeout", "1s");
      expect(waiting.code).toBe(75);
      const [run = ""] = waiting.out.split("\n");
      const message = "Its own code 3.";
      await store.ledger.update(run, 1, {
        state: "failed",
        outcome: { kind: "user-failure", exitCode: 3, message },
        endedAt: new Date().toISOString(),
      });
      expect(await mayfly("submit", job, "--key", "nightly", "--wait")).toEqual({
        code: 10,
        out: `${run}\n${run}: failed. ${message}\n`,
        err: "",
      });
      expect(json(await mayfly("submit", job, "--key", "nightly", "--wait", "--json"))).toMatchObject({
        run,
        state: "failed",
      });
    });
  });

  describe("a run that is not there", () => {
    test.each([["show"], ["wait"], ["cancel"], ["status"], ["logs"], ["destroy"]])(
      "is told by %s, with the nearest that is",
      async (command) => {
        const run = await submit();
        const wrong = `${run.slice(0, -1)}${run.endsWith("z") ? "y" : "z"}`;
        const { code, err } = await mayfly(command, wrong);
        expect(code).toBe(66);
        expect(err).toContain(`Did you mean ${run}?`);
      },
    );

    test("nor is a job without runs: history names the nearest", async () => {
      await submit();
      const { code, err } = await mayfly("history", "wordcuont");
      expect(code).toBe(66);
      expect(err).toContain('Did you mean "wordcount"?');
    });
  });

  describe("cancel", () => {
    test("of a queued run ends it at once; again changes nothing; wait has its code", async () => {
      const run = await submit();
      expect((await mayfly("cancel", run)).out).toBe(`${run}: cancelled\n`);
      expect((await mayfly("cancel", run)).code).toBe(0);
      expect((await mayfly("wait", run)).code).toBe(130);
    });

    test("of a run at work says that it goes on for a moment", async () => {
      const run = await submit();
      await store.ledger.claim({ holder: "worker-1", run });
      expect((await mayfly("cancel", run)).out).toBe(`${run}: is being cancelled; it was planning\n`);
      expect(await store.ledger.wished("worker-1")).toEqual([{ run, cancel: true, wish: undefined }]);
    });

    test("of one that has ended otherwise is refused, and of one whose cluster is kept, with what to do", async () => {
      const run = await submit();
      await store.ledger.update(run, 1, { state: "kept", outcome: { kind: "succeeded" } });
      expect(await mayfly("cancel", run)).toMatchObject({
        code: 73,
        err: saying(`npx mayfly destroy ${run}`),
      });
      await store.ledger.update(run, 2, { state: "succeeded", endedAt: new Date().toISOString() });
      expect(await mayfly("cancel", run)).toMatchObject({
        code: 73,
        err: saying(`Run ${run} has ended already: succeeded.`),
      });
    });
  });

  describe("runs", () => {
    test("lists by state, tenant, job, age and number, newest first; an unknown state is told with the nearest", async () => {
      const first = await submit();
      const second = await submit();
      const other = await write("other.yaml", { name: "sessions" });
      const third = (await mayfly("submit", other)).out.trim();
      await mayfly("cancel", first);
      const listed = async (...args: readonly string[]): Promise<string[]> => {
        const { out } = await mayfly("runs", "--json", ...args);
        const rows: unknown = JSON.parse(out);
        return Array.isArray(rows) ? rows.map((row: { run: string }) => row.run) : [];
      };
      expect(await listed()).toEqual([third, second, first]);
      expect(await listed("--state", "queued")).toEqual([third, second]);
      expect(await listed("--state", "cancelled", "failed")).toEqual([first]);
      expect(await listed("--job", "wordcount", "--limit", "1")).toEqual([second]);
      expect(await listed("--tenant", "globex")).toEqual([]);
      expect(await listed("--since", "1h")).toHaveLength(3);
      expect(await listed("--since", "2099-01-01")).toEqual([]);
      expect(await mayfly("runs", "--state", "qeued")).toMatchObject({
        code: 64,
        err: saying('Did you mean "queued"?'),
      });
      expect((await mayfly("runs", "--since", "soon")).code).toBe(64);
      expect((await mayfly("runs", "--limit", "0")).code).toBe(64);
    });

    test("leaves out one that another version wrote, says so, and shows the others", async () => {
      const broken = await submit();
      const fine = await submit();
      // @ts-expect-error A state of a version that is not written yet.
      await store.ledger.update(broken, 1, { state: "hibernating" });
      for (const command of [["runs"], ["history", "wordcount"]]) {
        const { code, out, err } = await mayfly(...command);
        expect(code).toBe(0);
        expect(out).toContain(fine);
        expect(out).not.toContain(broken);
        expect(err).toContain(`The state of run ${broken} is not of a form that this version reads.`);
      }
      expect(await mayfly("show", broken)).toMatchObject({ code: 65, err: saying(broken) });
    });

    test("history sums up how a job went", async () => {
      const run = await submit();
      await mayfly("cancel", run);
      await submit();
      const { out } = await mayfly("history", "wordcount");
      expect(out).toMatch(/2 runs: 1 queued, 1 cancelled/);
    });
  });

  describe("a retention", () => {
    test("that is no duration is told before anything else", async () => {
      vi.stubEnv("MAYFLY_RETENTION", "forever");
      expect(await mayfly("runs")).toMatchObject({
        code: 64,
        err: saying("MAYFLY_RETENTION is no duration"),
      });
    });
  });

  test("several processes that use the ledger at once all do", async () => {
    const ended = await Promise.all(
      ["a", "b", "c"].map(
        async (name) => await helperProcess(store.url, ["submit", `pi-${name}`, `key-${name}`]),
      ),
    );
    expect(ended.map(({ code, stderr }) => [code, stderr])).toEqual([
      [0, ""],
      [0, ""],
      [0, ""],
    ]);
    expect((await mayfly("runs")).out.match(/^pi-/gm)).toHaveLength(3);
  });
});
