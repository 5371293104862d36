import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type ChooseInput,
  choose,
  type Limits,
  PATIENCE,
  type QueuedRun,
  queueRefusal,
} from "../../../jobs/queue/index.ts";
import { DEFAULT_TENANT_LIMITS, type TenantLimits } from "../../../schema/service.ts";

const NOW = Date.UTC(2026, 10, 24);
const LIMITS: Limits = { helper: 100, tenants: {} };
const limited = (limits: Partial<TenantLimits>): TenantLimits => ({ ...DEFAULT_TENANT_LIMITS, ...limits });
const NONE: ReadonlyMap<string, number> = new Map();
const PLENTY = { available: 1e6, reserve: 0, perRun: 1, starting: 0 };

const queued = (run: string, tenant: string, priority = 1, waited = 0): QueuedRun => ({
  run,
  tenant,
  priority,
  submittedAt: NOW - waited,
});
const chosen = (input: Partial<ChooseInput>): string[] =>
  choose({
    queue: [],
    running: NONE,
    here: 0,
    limits: LIMITS,
    memory: PLENTY,
    now: NOW,
    turn: 0,
    ...input,
  }).start.map(({ run }) => run);

describe("the next runs", () => {
  test("are those of the highest priority, then of the tenant with least at work, then who waits longest", () => {
    const queue = [
      queued("acme-batch", "acme", 0, 9000),
      queued("acme-1", "acme", 1, 5000),
      queued("acme-2", "acme", 1, 6000),
      queued("globex-1", "globex", 1, 10),
      queued("globex-urgent", "globex", 2, 1),
    ];
    expect(chosen({ queue, limits: { ...LIMITS, helper: 3 } })).toEqual([
      "globex-urgent",
      "acme-2",
      "acme-1",
    ]);
  });

  test("of a tenant with twice the weight are twice as many", () => {
    const queue = ["acme", "globex"].flatMap((tenant) =>
      Array.from({ length: 9 }, (_, index) => queued(`${tenant}-${index}`, tenant)),
    );
    const limits = { ...LIMITS, helper: 6, tenants: { acme: limited({ weight: 2 }) } };
    const starts = chosen({ queue, limits }).map((run) => run.split("-")[0]);
    expect(starts.filter((tenant) => tenant === "acme")).toHaveLength(4);
  });

  test("wait for their time, their tenant, the helper and memory, and it is said which", () => {
    const limits = { ...LIMITS, helper: 3, tenants: { acme: limited({ running: 1 }) } };
    const queue = [
      { ...queued("acme-later", "acme"), notBefore: NOW + 1 },
      { ...queued("acme-due", "acme"), notBefore: NOW },
      queued("globex-1", "globex"),
      queued("globex-2", "globex"),
      queued("globex-3", "globex"),
    ];
    const running = new Map([
      ["acme", 1],
      ["initech", 1],
    ]);
    const input = { queue, running, here: 1, limits, memory: PLENTY, now: NOW, turn: 0 };
    expect(choose(input).heldBack).toEqual([
      { run: "acme-later", because: "not-before" },
      { run: "acme-due", because: "tenant-limit" },
      { run: "globex-3", because: "helper-limit" },
    ]);
    const memory = { available: 1000, reserve: 500, perRun: 200, starting: 1 };
    expect(choose({ ...input, memory }).heldBack.slice(2)).toEqual([
      { run: "globex-2", because: "memory" },
      { run: "globex-3", because: "memory" },
    ]);
  });

  test("give each fourth place to who has waited longest, whatever its priority", () => {
    const urgent = Array.from({ length: 9 }, (_, index) => queued(`urgent-${index}`, "acme", 9, index));
    const queue = [...urgent, queued("patient", "globex", 0, 86_400_000)];
    expect(chosen({ queue, limits: { ...LIMITS, helper: 5 } }).indexOf("patient")).toBe(3);
    expect(chosen({ queue, limits: { ...LIMITS, helper: 1 }, turn: 3 })).toEqual(["patient"]);
  });
});

const TENANTS = ["acme", "globex", "initech", "constructor"] as const;
const tenant = fc.constantFrom(...TENANTS);
const scene = fc.record({
  queue: fc.uniqueArray(
    fc.record({
      run: fc.integer({ min: 0, max: 999 }).map((number) => `run-${number}`),
      tenant,
      priority: fc.integer({ min: 0, max: 2 }),
      submittedAt: fc.integer({ min: NOW - 1000, max: NOW }),
      notBefore: fc.option(fc.integer({ min: NOW - 100, max: NOW + 100 }), { nil: undefined }),
    }),
    { selector: ({ run }) => run, maxLength: 30 },
  ),
  running: fc
    .dictionary(tenant, fc.integer({ min: 0, max: 6 }))
    .map((counts) => new Map(Object.entries(counts))),
  here: fc.integer({ min: 0, max: 6 }),
  limits: fc
    .record({
      helper: fc.integer({ min: 0, max: 12 }),
      running: fc.array(fc.integer({ min: 0, max: 8 }), { minLength: 4, maxLength: 4 }),
      weight: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 4, maxLength: 4 }),
    })
    .map(({ helper, running, weight }): Limits => {
      const of = (name: string, index: number): readonly [string, TenantLimits] => [
        name,
        limited({ running: running[index] ?? 1, weight: weight[index] ?? 1 }),
      ];
      return { helper, tenants: Object.fromEntries(TENANTS.map(of)) };
    }),
  memory: fc.record({
    available: fc.integer({ min: 0, max: 4000 }),
    reserve: fc.integer({ min: 0, max: 500 }),
    perRun: fc.integer({ min: 100, max: 400 }),
    starting: fc.integer({ min: 0, max: 5 }),
  }),
  now: fc.constant(NOW),
  turn: fc.integer({ min: 0, max: 100 }),
});

describe("whatever the queue", () => {
  test("no limit is ever passed, and nothing is held back without need", () => {
    fc.assert(
      fc.property(scene, (input) => {
        const { start, heldBack } = choose(input);
        const { limits, memory, running, queue } = input;
        const has = (name: string): number =>
          (running.get(name) ?? 0) + start.filter((run) => run.tenant === name).length;
        const own = (name: string): number => limits.tenants[name]?.running ?? 0;
        const here = input.here + start.length;
        const needs = (starts: number): number => memory.reserve + (memory.starting + starts) * memory.perRun;
        if (start.length > 0) {
          expect(here).toBeLessThanOrEqual(limits.helper);
          expect(needs(start.length)).toBeLessThanOrEqual(memory.available);
        }
        for (const run of start) {
          expect(queue).toContain(run);
          expect(has(run.tenant)).toBeLessThanOrEqual(own(run.tenant));
          expect(run.notBefore ?? 0).toBeLessThanOrEqual(NOW);
        }
        expect(new Set(start).size).toBe(start.length);
        expect(start.length + heldBack.length).toBe(queue.length);
        for (const { run, because } of heldBack) {
          const held = queue.find((other) => other.run === run);
          if (held === undefined) throw new Error("unknown run");
          const reasons = {
            "not-before": (held.notBefore ?? 0) > NOW,
            "tenant-limit": has(held.tenant) >= own(held.tenant),
            "helper-limit": here >= limits.helper,
            memory: needs(start.length + 1) > memory.available,
          };
          expect(reasons[because]).toBe(true);
        }
      }),
    );
  });

  test("the order in which it is given does not matter", () => {
    fc.assert(
      fc.property(scene, fc.infiniteStream(fc.nat()), (input, numbers) => {
        const keys = new Map(input.queue.map((run) => [run, numbers.next().value]));
        const queue = [...input.queue].sort((a, b) => (keys.get(a) ?? 0) - (keys.get(b) ?? 0));
        expect(choose({ ...input, queue }).start).toEqual(choose(input).start);
      }),
    );
  });

  test("it is enough to know of each tenant as many runs as may start, by priority and by age", () => {
    fc.assert(
      fc.property(scene, (input) => {
        const places = Math.max(0, input.limits.helper - input.here);
        const due = input.queue.filter(({ notBefore }) => notBefore === undefined || notBefore <= NOW);
        const waits = ({ submittedAt, notBefore }: QueuedRun): number =>
          Math.max(submittedAt, notBefore ?? 0);
        const byAge = (a: QueuedRun, b: QueuedRun): number => waits(a) - waits(b) || (a.run < b.run ? -1 : 1);
        const byRank = (a: QueuedRun, b: QueuedRun): number => b.priority - a.priority || byAge(a, b);
        const heads = TENANTS.flatMap((name) => {
          const own = due.filter((run) => run.tenant === name);
          return [byAge, byRank].flatMap((order) => own.toSorted(order).slice(0, places));
        });
        expect(choose({ ...input, queue: [...new Set(heads)] }).start).toEqual(choose(input).start);
      }),
    );
  });

  test("tenants of one weight with enough to do differ by one run at most, once all places were given", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 2, max: 5 }), (places, tenants) => {
        const queue = Array.from({ length: tenants }, (_, index) => `tenant-${index}`).flatMap((name) =>
          // One has waited longest with all of its runs, and still gets no more than the others but for its turns of patience.
          Array.from({ length: 40 }, (_, index) => queued(`${name}/${index}`, name, 1, 100)),
        );
        const start = chosen({ queue, limits: { ...LIMITS, helper: places } });
        const counts = Array.from(
          { length: tenants },
          (_, index) => start.filter((run) => run.startsWith(`tenant-${index}/`)).length,
        );
        const patience = Math.floor(places / PATIENCE);
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1 + patience);
      }),
    );
  });

  test("no run starves: however many urgent ones of others come, it starts after as many starts as were promised", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 6 }),
        fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 60, maxLength: 60 }),
        fc.integer({ min: 1, max: 4 }),
        (before, arrivals, places) => {
          const old = Array.from({ length: before }, (_, index) => queued(`old-${index}`, "globex", 0, 9e6));
          let queue = [...old, queued("patient", "globex", 0, 8e6)];
          let turn = 0;
          for (const [round, count] of arrivals.entries()) {
            for (let i = 0; i < count + places; i++) queue.push(queued(`urgent-${round}-${i}`, "acme", 9));
            // All that ran has ended.
            const limits = { ...LIMITS, helper: places };
            const { start } = choose({
              queue,
              running: NONE,
              here: 0,
              limits,
              memory: PLENTY,
              now: NOW,
              turn,
            });
            turn += start.length;
            queue = queue.filter((run) => !start.includes(run));
            if (start.some(({ run }) => run === "patient")) break;
          }
          expect(queue.some(({ run }) => run === "patient")).toBe(false);
          expect(turn).toBeLessThanOrEqual(PATIENCE * (before + 1) + places);
        },
      ),
    );
  });
});

test("a tenant that has as many runs waiting as it may is told so", () => {
  expect(queueRefusal("acme", 999, LIMITS)).toBeUndefined();
  expect(queueRefusal("acme", 1000, LIMITS)).toMatchObject({
    code: "queue-full",
    message: "Tenant acme has 1000 runs waiting; 1000 may.",
  });
  expect(queueRefusal("acme", 5, { ...LIMITS, tenants: { acme: limited({ queued: 5 }) } })?.code).toBe(
    "queue-full",
  );
});
