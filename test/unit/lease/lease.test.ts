import { describe, expect, test } from "vitest";
import { UserError } from "../../../base/errors.ts";
import { acquireLease, holderName, type Lease, LeaseLost } from "../../../jobs/lease/index.ts";
import { renewTime } from "../../../jobs/lease/lease.ts";
import { LEASE_TIMING } from "../../../jobs/lease/types.ts";
import { Machine, Network, Server, Time } from "./simulated.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;

function world() {
  const time = new Time();
  const server = new Server();
  const helper = (name: string, booted: number) => {
    const clock = new Machine(time, booted);
    const network = new Network(time, server);
    const waited: string[] = [];
    const give = new AbortController();
    let lease: Lease | undefined;
    let failure: unknown;
    return {
      name,
      clock,
      network,
      waited,
      giveUp: () => {
        give.abort();
      },
      /** Begins to take the lease; `lease` is there once it has it. */
      start: (knownFence?: number, isDead?: (holder: string) => Promise<boolean>) => {
        acquireLease(network, {
          run: "pi-1",
          holder: name,
          clock,
          knownFence,
          isDead,
          signal: give.signal,
          onWaiting: (holder) => waited.push(holder),
        }).then(
          (taken) => {
            lease = taken;
          },
          (error: unknown) => {
            failure = error;
          },
        );
      },
      get lease(): Lease | undefined {
        return lease;
      },
      get failure(): unknown {
        return failure;
      },
      get mine(): Lease {
        if (lease === undefined) throw new Error(`${name} has no lease`);
        return lease;
      },
    };
  };
  return { time, server, ada: helper("ada", 17), ben: helper("ben", 9_000_000) };
}

/** A world in which ada has the lease, and ben waits for it. */
async function contested() {
  const all = world();
  all.ada.start();
  await all.time.pass(100);
  all.ben.start();
  await all.time.pass(100);
  return all;
}

const reason = (lease: Lease): string | undefined => {
  const why: unknown = lease.lost.reason;
  return why instanceof LeaseLost ? why.reason : undefined;
};

describe("taking a lease", () => {
  test("nobody has: at once, with fence 1", async () => {
    const { time, ada, server } = world();
    ada.start();
    await time.pass(100);
    expect(ada.mine).toMatchObject({ fence: 1, remade: false });
    expect(server.lease).toMatchObject({ holder: "ada", transitions: 0, durationSeconds: 30 });
  });

  test("of an API server that takes longer than a first call may: in the end, and it is kept", async () => {
    const { time, ada } = world();
    ada.network.delay = 3500;
    ada.start();
    await time.pass(MINUTE);
    expect(ada.mine.held).toBe(true);
    await time.pass(MINUTE);
    expect(ada.mine.held).toBe(true);
  });

  test("whose object somebody deleted: above the fence that the ledger knows", async () => {
    const { time, ada } = world();
    ada.start(7);
    await time.pass(100);
    expect(ada.mine.fence).toBe(8);
    expect(ada.mine.remade).toBe(true);
  });

  test("at the same moment as another one: exactly one wins, whoever is closer", async () => {
    for (const [near, far] of [
      [5, 6],
      [6, 5],
      [5, 5],
    ] as const) {
      const { time, ada, ben } = world();
      ada.network.delay = near;
      ben.network.delay = far;
      ada.start();
      ben.start();
      await time.pass(MINUTE);
      expect([ada, ben].filter(({ lease }) => lease !== undefined)).toHaveLength(1);
    }
  });

  test("whose holder is known to be dead by other means: at once, with the next fence", async () => {
    const { time, ada, ben } = world();
    ada.start();
    await time.pass(100);
    ben.start(undefined, async (holder) => await Promise.resolve(holder === "ada"));
    await time.pass(200);
    expect(ben.mine.fence).toBe(2);
    expect(ben.waited).toEqual([]);
  });

  test("that is given back: as soon as it is seen, with the next fence", async () => {
    const { time, ada, ben } = await contested();
    expect(ben.waited).toEqual(["ada"]);
    expect(await settled(time, ada.mine.release())).toBe("released");
    await time.pass(LEASE_TIMING.poll + 100);
    expect(ben.mine.fence).toBe(2);
  });

  test("of a living holder: never, and the wait ends with that holder's name when it is given up", async () => {
    const { time, ada, ben } = await contested();
    await time.pass(10 * MINUTE);
    expect(ben.lease).toBeUndefined();
    expect(ada.mine.held).toBe(true);
    ben.giveUp();
    await time.pass(100);
    expect(ben.failure).toMatchObject({ code: "lease-held", message: "Run pi-1 is worked on by ada." });
  });

  test("of a dead holder: after a whole duration without a sign of life, not before", async () => {
    const { time, ada, ben } = await contested();
    ada.network.fault = "away";
    ada.clock.stop();
    await time.pass(29 * SECOND);
    expect(ben.lease).toBeUndefined();
    await time.pass(4 * SECOND);
    expect(ben.mine.fence).toBe(2);
  });

  test("whose answer was lost on the way: it is known by its own name, and not waited for", async () => {
    const { time, ada, server } = world();
    ada.network.fault = "lost";
    ada.start();
    await time.pass(4 * SECOND);
    expect(server.lease?.holder).toBe("ada");
    expect(ada.lease).toBeUndefined();
    await time.pass(4 * SECOND);
    expect(ada.mine.fence).toBe(1);
    expect(server.lease?.transitions).toBe(0);
  });

  test("while the API server is away: as soon as it is back", async () => {
    const { time, ada } = world();
    ada.network.fault = "away";
    ada.start();
    await time.pass(5 * MINUTE);
    expect(ada.lease).toBeUndefined();
    ada.network.fault = undefined;
    await time.pass(3 * SECOND);
    expect(ada.mine.fence).toBe(1);
  });

  test("that is refused for good fails with what the API server said", async () => {
    const { time, ada } = world();
    ada.network.refusal = new UserError("cluster-forbidden", "leases is forbidden");
    ada.start();
    await time.pass(100);
    expect(ada.failure).toMatchObject({ code: "cluster-forbidden" });
  });
});

describe("clocks", () => {
  test.each([
    ["a minute ahead", MINUTE],
    ["a minute behind", -MINUTE],
    ["a year behind", -525_600 * MINUTE],
  ])(
    "a holder whose wall clock is %s keeps its lease, and a waiter whose clock is that wrong does not take it",
    async (_how, skew) => {
      for (const wrong of ["ada", "ben"] as const) {
        const all = world();
        all[wrong].clock.skew = skew;
        all.ada.start();
        await all.time.pass(100);
        all.ben.start();
        await all.time.pass(5 * MINUTE);
        expect(all.ada.mine.held).toBe(true);
        expect(all.ben.lease).toBeUndefined();
      }
    },
  );

  test.each([
    ["forwards", 10 * MINUTE],
    ["backwards", -10 * MINUTE],
  ])("a wall clock that jumps %s takes the lease from nobody and gives it to nobody", async (_how, jump) => {
    const { time, ada, ben } = await contested();
    await time.pass(4 * SECOND);
    ada.clock.skew = jump;
    await time.pass(MINUTE);
    ben.clock.skew = jump;
    await time.pass(5 * MINUTE);
    expect(ada.mine.held).toBe(true);
    expect(ben.lease).toBeUndefined();
  });

  test("a wall clock that stands still still gives a sign of life with each renewal", async () => {
    const { time, ada, ben } = world();
    Object.assign(ada.clock, { wall: () => Date.UTC(2026, 10, 24) });
    ada.start();
    await time.pass(100);
    ben.start();
    await time.pass(5 * MINUTE);
    expect(ben.lease).toBeUndefined();
    expect(renewTime(0, "1970-01-01T00:00:00.000999Z")).toBe("1970-01-01T00:00:00.000000Z");
    expect(renewTime(0, "1970-01-01T00:00:00Z")).toBe("1970-01-01T00:00:00.000001Z");
  });
});

describe("a held lease", () => {
  test("is renewed every period", async () => {
    const { time, ada, server } = world();
    ada.start();
    await time.pass(100);
    const before = server.writes.length;
    await time.pass(MINUTE);
    expect(server.writes.length - before).toBe(6);
  });

  test.each(["away", "silent", "lost"] as const)(
    "outlives an API server that is %s for less than the lease",
    async (fault) => {
      const { time, ada, ben } = await contested();
      ada.network.fault = fault;
      await time.pass(15 * SECOND);
      ada.network.fault = undefined;
      await time.pass(MINUTE);
      expect(ada.mine.held).toBe(true);
      expect(ben.lease).toBeUndefined();
    },
  );

  test.each(["away", "silent"] as const)(
    "is lost before anybody may take it over when the API server is %s for longer",
    async (fault) => {
      const { time, ada, ben } = await contested();
      const { lost } = ada.mine;
      ada.network.fault = fault;
      while (!lost.aborted) {
        expect(ben.lease).toBeUndefined();
        await time.pass(500);
      }
      expect(reason(ada.mine)).toBe("expired");
      expect(ben.lease).toBeUndefined();
      await time.pass(MINUTE);
      expect(ben.mine.fence).toBe(2);
    },
  );

  test("counts from the sending of a renewal, not from its answer", async () => {
    const { time, ada, server } = world();
    ada.start();
    await time.pass(100);
    ada.network.delay = 2000;
    const before = server.writes.length;
    while (server.writes.length === before) await time.pass(10);
    // Sent two seconds ago.
    await time.pass(2100);
    ada.network.fault = "away";
    await time.pass(22_800);
    expect(ada.mine.held).toBe(true);
    await time.pass(200);
    expect(reason(ada.mine)).toBe("expired");
  });

  test("whose answers take longer than a call may is kept, while they come before its end", async () => {
    const { time, ada, ben } = await contested();
    ada.network.delay = 3500;
    await time.pass(2 * MINUTE);
    expect(ada.mine.held).toBe(true);
    expect(ben.lease).toBeUndefined();
  });

  test("whose answers come too late to be believed is lost, though renewals arrive: then others may have it", async () => {
    const { time, ada, ben } = await contested();
    ada.network.delay = 14_000;
    await time.pass(MINUTE);
    expect(reason(ada.mine)).toBe("expired");
    await time.pass(MINUTE);
    expect(ben.mine.fence).toBe(2);
  });

  test("is kept when somebody else changes the object but not its holder", async () => {
    const { time, ada, server } = await contested();
    for (let i = 0; i < 5; i++) {
      server.touch();
      await time.pass(7 * SECOND);
    }
    expect(ada.mine.held).toBe(true);
  });

  test("is lost with the next renewal after its object was deleted", async () => {
    const { time, ada, server } = world();
    ada.start();
    await time.pass(100);
    server.lease = undefined;
    await time.pass(11 * SECOND);
    expect(reason(ada.mine)).toBe("deleted");
  });

  test("that is refused its renewals, as with an expired token, lives until it runs out and then says why", async () => {
    const { time, ada } = world();
    ada.start();
    await time.pass(100);
    ada.network.refusal = new UserError("cluster-unauthorised", "credentials not accepted");
    await time.pass(20 * SECOND);
    expect(ada.mine.held).toBe(true);
    await time.pass(20 * SECOND);
    expect(ada.mine.lost.reason).toMatchObject({
      code: "lease-lost",
      message: "The lease of run pi-1 is lost: it could not be renewed in time (credentials not accepted).",
    });
  });

  test("of a stopped process is known to be over as soon as it goes on, before any timer has fired", async () => {
    const { time, ada, ben } = await contested();
    ada.clock.stop();
    await time.pass(MINUTE);
    expect(ben.mine.fence).toBe(2);
    expect(ada.mine.lost.aborted).toBe(false);
    expect(ada.mine.held).toBe(false);
    expect(reason(ada.mine)).toBe("expired");
    ada.clock.go();
    await time.pass(MINUTE);
    expect(ben.mine.held).toBe(true);
  });
});

describe("the guard before a mutation", () => {
  test("lets a fresh lease through without a call", async () => {
    const { time, ada, server } = world();
    ada.start();
    await time.pass(100);
    const before = server.writes.length;
    await ada.mine.guard();
    expect(server.writes.length).toBe(before);
  });

  test("throws once the lease is another one's, though no renewal has told so yet", async () => {
    const { time, ada, ben } = await contested();
    ada.clock.stop();
    await time.pass(MINUTE);
    expect(ben.mine.fence).toBe(2);
    ada.clock.go();
    await expect(ada.mine.guard()).rejects.toMatchObject({ code: "lease-lost" });
  });

  test("asks again when the last renewal is older than a period, and waits for an API server that is away", async () => {
    const { time, ada } = world();
    ada.start();
    await time.pass(100);
    ada.network.fault = "away";
    await time.pass(12 * SECOND);
    let passed = false;
    const guarded = ada.mine.guard().then(() => {
      passed = true;
    });
    await time.pass(5 * SECOND);
    expect(passed).toBe(false);
    ada.network.fault = undefined;
    await time.pass(3 * SECOND);
    await guarded;
    expect(passed).toBe(true);
  });

  test("finds out by that call that another one has it", async () => {
    const { time, ada, server } = world();
    ada.start();
    await time.pass(100);
    ada.network.fault = "away";
    await time.pass(12 * SECOND);
    const { lease } = server;
    if (lease === undefined) throw new Error("no lease");
    server.replace(lease, { ...lease, holder: "eve", transitions: 1, acquireTime: "", renewTime: "" });
    ada.network.fault = undefined;
    const guarded = ada.mine.guard().catch((error: unknown) => error);
    await time.pass(3 * SECOND);
    expect(await guarded).toMatchObject({
      reason: "taken",
      message: "The lease of run pi-1 is lost: another helper took it over (eve).",
    });
  });
});

describe("giving it back", () => {
  test("ends renewing, and the guard refuses", async () => {
    const { time, ada, server } = world();
    ada.start();
    await time.pass(100);
    expect(await settled(time, ada.mine.release())).toBe("released");
    expect(server.lease).toMatchObject({ holder: "", transitions: 0 });
    const before = server.writes.length;
    await time.pass(MINUTE);
    expect(server.writes.length).toBe(before);
    await expect(ada.mine.guard()).rejects.toMatchObject({ reason: "released" });
    expect(ada.mine.lost.aborted).toBe(false);
  });

  test("removes the object of a run that is over", async () => {
    const { time, ada, server } = world();
    ada.start();
    await time.pass(100);
    expect(await settled(time, ada.mine.release({ remove: true }))).toBe("released");
    expect(server.lease).toBeUndefined();
  });

  test("works after somebody touched the object, and leaves another holder's alone", async () => {
    const { time, ada, ben, server } = await contested();
    server.touch();
    expect(await settled(time, ada.mine.release())).toBe("released");
    await time.pass(3 * SECOND);
    ben.clock.stop();
    ben.network.fault = "away";
    ada.start();
    await time.pass(MINUTE);
    const before = server.lease;
    ben.network.fault = undefined;
    expect(await settled(time, ben.mine.release({ remove: true }))).toBe("not-ours");
    expect(server.lease?.holder).toBe(before?.holder);
    expect(server.lease?.transitions).toBe(2);
  });

  test("says so when nobody answers: it runs out by itself", async () => {
    const { time, ada } = world();
    ada.start();
    await time.pass(100);
    ada.network.fault = "away";
    expect(await settled(time, ada.mine.release())).toBe("unanswered");
  });
});

test("a holder's name says where it runs, and is unique", () => {
  expect(holderName("node-7", 4711, new Uint8Array([1, 2, 3, 255]))).toBe("node-7/4711/010203ff");
});

async function settled<T>(time: Time, promise: Promise<T>): Promise<T> {
  const done = new AbortController();
  const value = promise.finally(() => {
    done.abort();
  });
  for (let i = 0; i < 100 && !done.signal.aborted; i++) await time.pass(500);
  return await value;
}
