import { afterAll, beforeAll, expect, test } from "vitest";
import {
  checkSavepoint,
  deleteSavepoint,
  finishedSavepoint,
  newestCheckpoint,
  newestState,
  type StatePlan,
  sweepCheckpoints,
} from "../../jobs/flink/index.ts";
import { openStore } from "../../jobs/store/index.ts";
import { labConnection } from "../../lab/store.ts";

// The lab's S3 store is a real one (versitygw): the order of its listings, its pages, its folders. Nothing of Flink runs here.
const store = openStore(labConnection().s3);
const ROOT = `s3://demo-output/mayfly-tests/flink-state-${process.pid}`;
const ID = "0123456789abcdef0123456789abcdef";
const plan: StatePlan = {
  job: "orders",
  run: "orders-1",
  attempt: 2,
  jobId: ID,
  state: { checkpoints: `${ROOT}/_entropy_/orders/orders-1/2`, savepoints: `${ROOT}/orders/savepoints` },
};
const SAVEPOINT = `${ROOT}/orders/savepoints/savepoint-${ID.slice(0, 6)}-aaaaaaaaaaaa`;

const put = async (urls: readonly string[]): Promise<void> => {
  for (let start = 0; start < urls.length; start += 50) {
    await Promise.all(urls.slice(start, start + 50).map((url) => store.put(url, "state", "text/plain")));
  }
};

const LETTERS = ["0aZ9", "Zzzz", "acme", "zz99"];
const others = [
  `${ROOT}/0aZ9/orders/orders-2/1/${ID}/shared/1`,
  `${ROOT}/orders/orders-2/1/${ID}/chk-7/_metadata`,
  `${ROOT}/payments/orders-1/1/${ID}/chk-7/_metadata`,
  `${SAVEPOINT}/_metadata`,
  `${SAVEPOINT}/1`,
];
const own = [
  `${ROOT}/orders/orders-1/1/${ID}/chk-99/_metadata`,
  `${ROOT}/orders/orders-1/2/${ID}/chk-100/_metadata`,
  `${ROOT}/orders/orders-1/2/${ID}/chk-99/_metadata`,
  ...LETTERS.flatMap((letters) =>
    Array.from({ length: 300 }, (_, index) => `${ROOT}/${letters}/orders/orders-1/2/${ID}/shared/${index}`),
  ),
];

beforeAll(async () => {
  // The savepoint first: what is newest is decided by the store's clock, in whole seconds.
  await put(others);
  await new Promise((resolve) => setTimeout(resolve, 1100));
  await put(own);
});
afterAll(async () => {
  await store.remove([...own, ...others]);
  store.close();
});

test("the newest state is the last attempt's newest checkpoint, while the savepoint is older", async () => {
  expect(await newestCheckpoint(store, plan)).toMatchObject({
    location: `${ROOT}/orders/orders-1/2/${ID}/chk-100`,
  });
  expect(await newestState(store, plan, [SAVEPOINT])).toMatchObject({ kind: "checkpoint" });
});

test("a savepoint is found by its job's id and its time, and is accepted", async () => {
  const since = new Date(Date.now() - 60_000);
  expect(await finishedSavepoint(store, plan, { since, known: [] })).toBe(SAVEPOINT);
  expect(await finishedSavepoint(store, plan, { since, known: [SAVEPOINT] })).toBeUndefined();
  expect(await checkSavepoint(store, SAVEPOINT)).toMatchObject({ kind: "savepoint" });
  await expect(checkSavepoint(store, `${ROOT}/nothing`)).rejects.toMatchObject({ code: "savepoint-missing" });
});

test("a sweep removes the run's 1203 objects over several pages, and nothing of others; then the savepoint goes", async () => {
  expect(await sweepCheckpoints(store, plan)).toMatchObject({ removed: own.length, complete: true });
  // Folders that became empty may be listed for a while.
  const left = async (): Promise<readonly string[]> =>
    (await store.list(`${ROOT}/`)).filter((url) => !url.endsWith("/"));
  expect([...(await left())].sort()).toEqual([...others].sort());
  expect(await sweepCheckpoints(store, plan)).toMatchObject({ removed: 0, complete: true });
  expect(await deleteSavepoint(store, SAVEPOINT)).toBe(2);
  expect([...(await left())].sort()).toEqual(others.slice(0, 3).sort());
});

test("a bucket that is not there is the store's own error", async () => {
  const elsewhere = "s3://no-such-bucket-mayfly/state/savepoint-1";
  await expect(checkSavepoint(store, elsewhere)).rejects.toMatchObject({ code: "s3-missing" });
});
