import fc from "fast-check";
import { expect, test } from "vitest";
import { acquireLease, type Lease } from "../../../jobs/lease/index.ts";
import { type Fault, Machine, Network, Server, Time } from "./simulated.ts";

/** A helper that wants the lease whenever it has none, and works for a while when it has it. */
class Helper {
  readonly clock: Machine;
  readonly network: Network;
  readonly #name: string;
  #takes = 0;
  lease: Lease | undefined;
  wants: AbortController | undefined;

  constructor(name: string, time: Time, server: Server) {
    this.#name = name;
    this.clock = new Machine(time, name.charCodeAt(0) * 1e5);
    this.network = new Network(time, server);
  }

  want(onTaken: (lease: Lease) => void): void {
    if (this.wants !== undefined || this.lease?.held === true) return;
    const wants = new AbortController();
    this.wants = wants;
    const holder = `${this.#name}/${this.#takes++}`;
    acquireLease(this.network, { run: "pi-1", holder, clock: this.clock, signal: wants.signal })
      .then((lease) => {
        this.lease = lease;
        onTaken(lease);
      })
      .finally(() => {
        this.wants = undefined;
      })
      // Given up.
      .catch(() => undefined);
  }
}

const step = fc.record({
  who: fc.integer({ min: 0, max: 2 }),
  what: fc.oneof(
    { weight: 4, arbitrary: fc.constant("want" as const) },
    fc.constantFrom("release", "stop", "go", "touch", "give up" as const),
    fc.record({ fault: fc.constantFrom<Fault>("away", "silent", "lost", undefined) }),
    fc.record({ delay: fc.integer({ min: 1, max: 4000 }) }),
    fc.record({ skew: fc.integer({ min: -3_600_000, max: 3_600_000 }) }),
  ),
  pass: fc.integer({ min: 0, max: 40_000 }),
});

test("whatever happens: never two who may take themselves for the holder, fences only grow, and the lease is had again once all is well", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
      const time = new Time();
      const server = new Server();
      const helpers = ["ada", "ben", "cleo"].map((name) => new Helper(name, time, server));
      const fences: number[] = [];
      const taken = ({ fence }: Lease): void => {
        fences.push(fence);
      };
      const check = (): void => {
        expect(helpers.filter(({ lease }) => lease?.held === true).length).toBeLessThanOrEqual(1);
      };
      for (const { who, what, pass } of steps) {
        const helper = helpers[who];
        if (helper === undefined) continue;
        if (what === "want") helper.want(taken);
        else if (what === "give up") helper.wants?.abort();
        else if (what === "release") void helper.lease?.release();
        else if (what === "stop") helper.clock.stop();
        else if (what === "go") helper.clock.go();
        else if (what === "touch") server.touch();
        else Object.assign("skew" in what ? helper.clock : helper.network, what);
        for (let passed = 0; passed < pass; passed += 1000) {
          await time.pass(Math.min(1000, pass - passed));
          check();
        }
      }
      for (const { clock, network } of helpers) {
        clock.go();
        Object.assign(network, { fault: undefined, delay: 5 });
      }
      const [ada] = helpers;
      for (let i = 0; i < 60; i++) {
        ada?.want(taken);
        await time.pass(2000);
        check();
        // The others leave when they have it, and do not wait any more.
        for (const other of helpers.slice(1)) {
          other.wants?.abort();
          void other.lease?.release();
        }
      }
      expect(ada?.lease?.held).toBe(true);
      expect(fences).toEqual([...new Set(fences)].sort((a, b) => a - b));
    }),
    { numRuns: 120 },
  );
}, 120_000);
