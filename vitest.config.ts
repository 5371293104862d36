import { defineConfig } from "vitest/config";

// Several kinds of test, cheapest first; `npm test` runs them all (scripts/test.ts), a developer picks one:
// `npx vitest --project unit`.
const DOWN = "test/lab/zz-down.test.ts";
/** Keeps new pods off the lab's node for a while. */
const ALONE = ["test/e2e/environment-startup-taint.test.ts"];
/** Twelve minutes, most of them waiting for leases and grace times: not part of `npm test`, which says so. */
const DETACHED = [
  "test/e2e/run-interrupted-phases.test.ts",
  "test/e2e/work.test.ts",
  "test/e2e/reap.test.ts",
  "test/e2e/fence-takeover.test.ts",
  "test/e2e/worker-in-cluster.test.ts",
  "test/e2e/workers.test.ts",
];

/** Tests of the engine work, those of ledger and contract mostly wait: side by side they take little more than one of them. */
const BESIDE = { maxWorkers: 4, sequence: { groupOrder: 1 } };

export default defineConfig({
  test: {
    projects: [
      { test: { name: "unit", include: ["test/unit/**/*.test.ts"], testTimeout: 30_000 } },
      {
        // The ledger on SQLite and on a real Postgres, which the tests start; several processes at once.
        test: {
          name: "ledger",
          include: ["test/ledger/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          ...BESIDE,
        },
      },
      {
        test: { name: "components", include: ["test/components/**/*.test.ts"], testTimeout: 60_000 },
      },
      {
        // The real engine with stand-in plugins: needs Pulumi's tools, and no cluster.
        test: {
          name: "engine",
          include: ["test/engine/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          ...BESIDE,
        },
      },
      {
        // The stand-in plugin on the real cluster: each test in a namespace of its own, and most of the time waiting for it.
        test: {
          name: "contract",
          include: ["test/contract/**/*.test.ts"],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          ...BESIDE,
        },
      },
      {
        // Real engine, plugin, kubelet; each with runs and tenants of its own, so two files at a time.
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          exclude: [...ALONE, ...DETACHED],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
      {
        // Detached runs and what is left of them: `npm test -- --project detached`.
        test: {
          name: "detached",
          include: DETACHED,
          testTimeout: 300_000,
          hookTimeout: 300_000,
          fileParallelism: false,
          sequence: { groupOrder: 5 },
        },
      },
      {
        // Flink clusters, which take minutes: `npm run test:flink`, not part of `npm test`.
        test: {
          name: "flink",
          include: ["test/flink/**/*.test.ts"],
          testTimeout: 600_000,
          hookTimeout: 600_000,
          fileParallelism: false,
          sequence: { groupOrder: 6 },
        },
      },
      {
        // What changes the lab under everyone: one file at a time.
        test: {
          name: "lab",
          include: ["test/lab/**/*.test.ts", ...ALONE],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          exclude: [DOWN],
          fileParallelism: false,
          sequence: { groupOrder: 3 },
        },
      },
      {
        // Takes the lab away from under everyone: after all others, whatever order they are in.
        test: {
          name: "down",
          include: [DOWN],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          fileParallelism: false,
          sequence: { groupOrder: 4 },
        },
      },
    ],
  },
});
