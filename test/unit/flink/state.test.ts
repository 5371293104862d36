import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  checkSavepoint,
  deleteSavepoint,
  finishedSavepoint,
  newestCheckpoint,
  newestState,
} from "../../../jobs/flink/state.ts";
import { planThatLeft, statePaths } from "../../../jobs/flink/state-paths.ts";
import { sweepCheckpoints } from "../../../jobs/flink/sweep.ts";
import { containing } from "../../harness/expect.ts";
import { planOf, stream } from "../plan/flink-sample.ts";
import { MemoryStore } from "./memory-store.ts";

const ROOT = "s3://acme-data/state";
const RUN = "nightly-orders-11240544-k3fqa";
const plan = planOf(stream(), { run: RUN, attempt: 2 });
const ID = "0123456789abcdef0123456789abcdef";
const own = `${ROOT}/nightly-orders/${RUN}`;
const SAVEPOINTS = `${ROOT}/nightly-orders/savepoints`;
const savepoint = (name: string) => `${SAVEPOINTS}/savepoint-${plan.jobId.slice(0, 6)}-${name}`;

test("state is where the plan says it is", () => {
  expect(plan.state).toEqual({
    checkpoints: `${ROOT}/_entropy_/nightly-orders/${RUN}/2`,
    savepoints: SAVEPOINTS,
  });
});

describe("the newest checkpoint", () => {
  test("is the last attempt's with the highest number, counted as a number", async () => {
    const store = new MemoryStore({
      // Of a JobManager that was cut off and did not know that it was replaced.
      [`${own}/1/${ID}/chk-900/_metadata`]: "2026-11-24T09:30:00Z",
      [`${own}/2/${ID}/chk-9/_metadata`]: "2026-11-24T09:10:00Z",
      [`${own}/2/${ID}/chk-10/_metadata`]: "2026-11-24T09:11:00Z",
    });
    expect(await newestCheckpoint(store, plan)).toEqual({
      location: `${own}/2/${ID}/chk-10`,
      kind: "checkpoint",
      at: new Date("2026-11-24T09:11:00Z"),
    });
  });

  test("is one that is complete, of this run, and of no later attempt", async () => {
    const store = new MemoryStore({
      [`${own}/1/${ID}/chk-4/_metadata`]: "2026-11-24T09:00:00Z",
      // Begun, never finished: the folder is there, its _metadata is not.
      [`${own}/2/${ID}/chk-5/`]: "2026-11-24T09:01:00Z",
      [`${ROOT}/aB3x/nightly-orders/${RUN}/2/${ID}/chk-5/data`]: "2026-11-24T09:01:00Z",
      [`${own}/3/${ID}/chk-6/_metadata`]: "2026-11-24T09:02:00Z",
      [`${ROOT}/nightly-orders/${RUN}x/2/${ID}/chk-7/_metadata`]: "2026-11-24T09:03:00Z",
      [`${ROOT}/orders/${RUN}/2/${ID}/chk-8/_metadata`]: "2026-11-24T09:03:00Z",
    });
    expect((await newestCheckpoint(store, plan))?.location).toBe(`${own}/1/${ID}/chk-4`);
  });

  test("is none where nothing is left", async () => {
    expect(await newestCheckpoint(new MemoryStore(), plan)).toBeUndefined();
  });
});

describe("the newest state", () => {
  const checkpoint = { [`${own}/1/${ID}/chk-4/_metadata`]: "2026-11-24T09:00:00Z" };

  test("is a savepoint that is newer than the newest checkpoint", async () => {
    const taken = savepoint("aaaaaaaaaaaa");
    const store = new MemoryStore({ ...checkpoint, [`${taken}/_metadata`]: "2026-11-24T09:00:30Z" });
    expect(await newestState(store, plan, [`${taken}/`])).toMatchObject({
      location: taken,
      kind: "savepoint",
    });
  });

  test("is the checkpoint where the savepoint is older, or no longer there", async () => {
    const old = savepoint("aaaaaaaaaaaa");
    const store = new MemoryStore({ ...checkpoint, [`${old}/_metadata`]: "2026-11-24T08:00:00Z" });
    const found = await newestState(store, plan, [old, savepoint("bbbbbbbbbbbb")]);
    expect(found?.location).toBe(`${own}/1/${ID}/chk-4`);
  });

  test("is none where there is neither", async () => {
    expect(await newestState(new MemoryStore(), plan, [savepoint("aaaaaaaaaaaa")])).toBeUndefined();
  });
});

describe("the run that left a checkpoint", () => {
  const EARLIER = "nightly-orders-11230544-aaaaa";

  test("is an earlier one of the job, at the same location", () => {
    const before = planThatLeft(plan, `${ROOT}/nightly-orders/${EARLIER}/1/${ID}/chk-7`);
    expect(before?.run).toBe(EARLIER);
    expect(before === undefined ? undefined : statePaths(before).metadata).toBe(
      `${ROOT}/nightly-orders/${EARLIER}/`,
    );
  });

  test.each([
    ["a savepoint", savepoint("aaaaaaaaaaaa")],
    ["the run's own checkpoint", `${own}/1/${ID}/chk-7`],
    ["another job's checkpoint", `${ROOT}/orders/${EARLIER}/1/${ID}/chk-7`],
    ["a checkpoint at another location", `s3://acme-data/elsewhere/nightly-orders/${EARLIER}/1/${ID}/chk-7`],
    ["a checkpoint below another location", `${ROOT}/old/nightly-orders/${EARLIER}/1/${ID}/chk-7`],
  ])("is not known by %s", (_, location) => {
    expect(planThatLeft(plan, location)).toBeUndefined();
  });
});

describe("the savepoint of a job that finished unseen", () => {
  const since = new Date("2026-11-24T09:00:00Z");

  test("is the newest of its own job id that was made since and that nobody knew", async () => {
    const store = new MemoryStore({
      [`${savepoint("aaaaaaaaaaaa")}/_metadata`]: "2026-11-24T09:00:05Z",
      [`${savepoint("bbbbbbbbbbbb")}/_metadata`]: "2026-11-24T09:00:03Z",
      // Periodic, in the ledger:
      [`${savepoint("cccccccccccc")}/_metadata`]: "2026-11-24T09:00:09Z",
      // Of another run:
      [`${SAVEPOINTS}/savepoint-ffffff-dddddddddddd/_metadata`]: "2026-11-24T09:00:09Z",
      // Not finished:
      [`${savepoint("eeeeeeeeeeee")}/data`]: "2026-11-24T09:00:09Z",
    });
    const known = [savepoint("cccccccccccc")];
    expect(await finishedSavepoint(store, plan, { since, known })).toBe(savepoint("aaaaaaaaaaaa"));
  });

  test("is none that is older than the order", async () => {
    const store = new MemoryStore({ [`${savepoint("aaaaaaaaaaaa")}/_metadata`]: "2026-11-24T08:00:00Z" });
    expect(await finishedSavepoint(store, plan, { since, known: [] })).toBeUndefined();
  });
});

describe("a location to start from", () => {
  const taken = savepoint("aaaaaaaaaaaa");
  const store = new MemoryStore({
    [`${taken}/_metadata`]: "2026-11-24T09:00:00Z",
    [`${SAVEPOINTS}/savepoint-ffffff-bbbbbbbbbbbb/data`]: "2026-11-24T09:00:00Z",
    [`${own}/1/${ID}/chk-4/_metadata`]: "2026-11-24T09:00:00Z",
  });

  test.each([taken, `${taken}/`, `${taken}/_metadata`])("may be given as %s", async (location) => {
    expect(await checkSavepoint(store, location, ["acme-data"])).toMatchObject({
      location: taken,
      kind: "savepoint",
    });
  });

  test("may be a retained checkpoint", async () => {
    expect(await checkSavepoint(store, `${own}/1/${ID}/chk-4`)).toMatchObject({ kind: "checkpoint" });
  });

  test.each([
    ["s3://acme-data/state/nothing", "savepoint-missing"],
    [`${SAVEPOINTS}/savepoint-ffffff-bbbbbbbbbbbb`, "savepoint-invalid"],
    ["s3://acme-data", "savepoint-invalid"],
    ["/var/lib/flink", "savepoint-invalid"],
    ["s3://rival-data/state/savepoint-1", "savepoint-foreign"],
  ])("%s is refused as %s", async (location, code) => {
    await expect(checkSavepoint(store, location, ["acme-data"])).rejects.toMatchObject({ code });
  });

  test("that holds savepoints, but is none, is refused with one of them", async () => {
    await expect(checkSavepoint(store, `${ROOT}/nightly-orders`)).rejects.toMatchObject({
      hint: containing("s3://acme-data/state/nightly-orders/"),
    });
  });
});

describe("deleting a savepoint", () => {
  test("removes all of it and nothing else", async () => {
    const store = new MemoryStore();
    const [one, other] = [savepoint("aaaaaaaaaaaa"), savepoint("aaaaaaaaaaaab")];
    for (const name of ["_metadata", "1", "2", "3", "4", ""]) store.put(`${one}/${name}`);
    store.put(`${other}/_metadata`);
    expect(await deleteSavepoint(store, `${one}/`)).toBe(6);
    expect(store.left).toEqual([`${other}/_metadata`]);
  });

  test.each([SAVEPOINTS, ROOT, own, `${own}/1/${ID}/chk-4`, "s3://acme-data/"])(
    "does not touch %s, which Flink never named so",
    async (location) => {
      const store = new MemoryStore({ [`${own}/1/${ID}/chk-4/_metadata`]: "2026-11-24T09:00:00Z" });
      await expect(deleteSavepoint(store, location)).rejects.toMatchObject({ code: "savepoint-invalid" });
      expect(store.left).toHaveLength(1);
    },
  );
});

describe("sweeping a run's checkpoints", () => {
  const ofRun = (job: string, run: string): readonly string[] => [
    `${ROOT}/${job}/${run}/1/${ID}/chk-9/_metadata`,
    `${ROOT}/${job}/${run}/2/${ID}/chk-10/`,
    `${ROOT}/${job}/high-availability/${run}/1/submittedJobGraph1f0c`,
    ...["0aZ9", "Zzzz", "acme", "nigh", "zz99", "_entropy_"].map(
      (letters) => `${ROOT}/${letters}/${job}/${run}/2/${ID}/shared/1f0c`,
    ),
  ];

  test("removes metadata and data under every random prefix, of all attempts; nothing of others", async () => {
    const others = [
      ...ofRun("nightly-orders", "nightly-orders-11240544-k3fq"),
      ...ofRun("nightly-orders", `${RUN}b`),
      ...ofRun("nightly-orders", "a-run-before"),
      ...ofRun("orders", RUN),
      ...ofRun("acme", RUN),
      `${savepoint("aaaaaaaaaaaa")}/_metadata`,
      `${savepoint("aaaaaaaaaaaa")}/0aZ9/nightly-orders/${RUN}/data`,
      `s3://acme-data/elsewhere/0aZ9/nightly-orders/${RUN}/1`,
      `${ROOT}/five5/nightly-orders/${RUN}/1`,
    ];
    const store = new MemoryStore();
    for (const url of [...ofRun("nightly-orders", RUN), ...others]) store.put(url);
    expect(await sweepCheckpoints(store, plan)).toEqual({ removed: 9, bytes: 90, complete: true });
    expect(store.left).toEqual([...new Set(others)].sort());
  });

  test("jumps over other jobs' metadata, and over other runs and savepoints of the job", async () => {
    const store = new MemoryStore({}, 10);
    for (let id = 0; id < 1000; id++) {
      store.put(`${ROOT}/a-job/a-run/1/${ID}/chk-${id}/_metadata`);
      store.put(`${ROOT}/nightly-orders/a-run/1/${ID}/chk-${id}/_metadata`);
      store.put(`${savepoint("aaaaaaaaaaaa")}/${id}`);
      store.put(`${ROOT}/other-job/savepoints/savepoint-1-1/${id}`);
    }
    // S3A marks empty folders by objects of their names.
    for (const url of [...ofRun("nightly-orders", RUN), `${ROOT}/nightly-orders/high-availability/${RUN}/`])
      store.put(url);
    expect(await sweepCheckpoints(store, plan)).toMatchObject({ removed: 10, complete: true });
    expect(store.left).toHaveLength(4000);
    expect(store.pages).toBeLessThan(20);
  });

  test("says where it met its bound, and the next call does the rest", async () => {
    const store = new MemoryStore();
    for (let id = 0; id < 30; id++) store.put(`${own}/1/${ID}/chk-${id}/_metadata`);
    expect(await sweepCheckpoints(store, plan, 2)).toMatchObject({ removed: 6, complete: false });
    expect(await sweepCheckpoints(store, plan)).toMatchObject({ removed: 24, complete: true });
  });

  test("never removes what is not the run's, whatever others are called", async () => {
    const part = fc.stringMatching(/^[a-z0-9_-]{1,6}$/);
    const key = fc.array(fc.oneof(part, fc.constantFrom("nightly-orders", RUN, "_entropy_", "aB3x")), {
      minLength: 1,
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(fc.array(key, { maxLength: 30 }), async (keys) => {
        const store = new MemoryStore({}, 4);
        const urls = [...new Set(keys.map((parts) => `${ROOT}/${parts.join("/")}`))];
        for (const url of urls) store.put(url);
        await sweepCheckpoints(store, plan);
        const isOwn = (url: string): boolean => {
          const [first = "", ...rest] = url.slice(ROOT.length + 1).split("/");
          const path = /^[0-9A-Za-z]{4}$|^_entropy_$/.test(first) ? rest : [first, ...rest];
          return path[0] === "nightly-orders" && path[1] === RUN && path.length > 2;
        };
        expect(store.left).toEqual(urls.filter((url) => !isOwn(url)).sort());
      }),
    );
  });
});
