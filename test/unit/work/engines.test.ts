import fc from "fast-check";
import { expect, test } from "vitest";
import { EngineFailure, type ProcessEngine } from "../../../jobs/engine/index.ts";
import { Engines } from "../../../jobs/work/engines.ts";

const notAsked = async (): Promise<never> =>
  await Promise.reject(new Error("no operation is asked for here"));

/** A process that only notes what becomes of it. */
class FakeEngine implements ProcessEngine {
  closed = false;
  woken = 0;
  readonly #closing: Promise<unknown>;

  constructor(closing: Promise<unknown> = Promise.resolve()) {
    this.#closing = closing;
  }

  readonly create = notAsked;
  readonly up = notAsked;
  readonly preview = notAsked;
  readonly destroy = notAsked;
  readonly remove = notAsked;
  readonly forget = notAsked;
  readonly unlock = notAsked;
  readonly list = notAsked;
  readonly rest = (): void => undefined;
  readonly wake = (): void => {
    this.woken++;
  };
  readonly close = async (): Promise<void> => {
    this.closed = true;
    await this.#closing;
  };
}

function pool(closing?: Promise<unknown>) {
  const started: FakeEngine[] = [];
  const engines = new Engines(() => {
    const engine = new FakeEngine(closing);
    started.push(engine);
    return engine;
  });
  return { engines, started };
}

test("as many processes are warm as are asked for, those at work counted; no more are started for them", () => {
  const { engines, started } = pool();
  engines.warm(3);
  expect(started).toHaveLength(3);
  const taken = engines.take();
  engines.warm(3);
  expect(started).toHaveLength(3);
  engines.giveBack(taken);
  engines.warm(4);
  expect(started).toHaveLength(4);
});

test("a run gets a warm process, woken if it rested; without one a new process starts", () => {
  const { engines, started } = pool();
  engines.warm(1);
  const first = engines.take();
  expect(first).toBe(started[0]);
  expect(started[0]?.woken).toBe(1);
  const second = engines.take();
  expect(second).toBe(started[1]);
  engines.giveBack(first);
  expect(engines.take()).toBe(first);
});

test("a process is replaced after 25 runs, so that what it gathers stays bounded", () => {
  const { engines, started } = pool();
  for (let run = 0; run < 25; run++) {
    expect(started[0]?.closed).not.toBe(true);
    engines.giveBack(engines.take());
  }
  expect(started.map(({ closed }) => closed)).toEqual([true]);
  expect(engines.take()).toBe(started[1]);
});

test("whatever runs come and go, a process serves one at a time, none twice its due, and all are closed in the end", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 300 }), async (comes) => {
      const { engines, started } = pool();
      const atWork: ProcessEngine[] = [];
      const runs = new Map<ProcessEngine, number>();
      for (const one of comes) {
        if (one) {
          const engine = engines.take();
          expect(atWork).not.toContain(engine);
          runs.set(engine, (runs.get(engine) ?? 0) + 1);
          atWork.push(engine);
        } else {
          const engine = atWork.shift();
          if (engine !== undefined) engines.giveBack(engine);
        }
        expect(started.filter(({ closed }) => closed).every((engine) => !atWork.includes(engine))).toBe(true);
      }
      expect(Math.max(0, ...runs.values())).toBeLessThanOrEqual(25);
      await engines.close();
      expect(started.every(({ closed }) => closed)).toBe(true);
    }),
  );
});

test("closing waits for processes that are on their way out; one that can't be ended fails nothing", async () => {
  const closing = Promise.withResolvers<undefined>();
  closing.promise.catch(() => undefined);
  const { engines } = pool(closing.promise);
  engines.warm(2);
  engines.take();
  let closed = false;
  const all = engines.close().then(() => {
    closed = true;
  });
  await new Promise(setImmediate);
  expect(closed).toBe(false);
  closing.reject(new EngineFailure({ kind: "cli", message: "The engine's process could not be ended." }));
  await all;
});
