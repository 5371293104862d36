// Workers of detached runs are killed, frozen, cut off, doubled; their clocks are wrong. Somebody else goes on with the run.
// Workers of two machines share a Postgres: SQLite is one machine's, and who is frozen there may hold its one lock.
import { setTimeout as sleep } from "node:timers/promises";
import type { LedgerRun } from "../../../jobs/ledger/index.ts";
import { LEASE_SECONDS } from "../place.ts";
import { type Helper, phase, send, wrongClock } from "../processes.ts";
import type { Fault, Scene } from "../types.ts";

const group = "workers";

const isIn =
  (state: LedgerRun["state"]) =>
  (run: LedgerRun): boolean =>
    run.state === state;

/** Another one has taken the lease, and noted it. */
const isTakenOver = ({ fence }: Pick<LedgerRun, "fence">): boolean => fence > 1;

const firstResource = ({ type }: { readonly type: string }): boolean => type === "resource";

/** Submitted, and at work with the first holder. */
async function begun(scene: Scene, machine?: string): Promise<Helper> {
  await scene.submit();
  return scene.worker("first", machine === undefined ? {} : { machine });
}

/** The worker's own process dies; its engine and Pulumi see that their parent is gone. `resume` goes on. */
const killed =
  (when: (helper: Helper, scene: Scene) => Promise<unknown>) =>
  async (scene: Scene): Promise<void> => {
    const worker = await begun(scene);
    await when(worker, scene);
    send(worker.pid, "SIGKILL");
    await worker.exit;
  };

interface Freeze {
  readonly when: (helper: Helper, scene: Scene) => Promise<unknown>;
  /** The worker's process alone, or all that it has started too. */
  readonly part: "worker" | "all";
  /** It goes on a second after the other one has taken over, or in the midst of that one's making all of it again. */
  readonly until?: "taken over" | "made again";
}

/** Another machine's worker takes over from a frozen one, which then goes on as if nothing had been. */
const frozen =
  ({ when, part, until = "taken over" }: Freeze) =>
  async (scene: Scene): Promise<void> => {
    const worker = await begun(scene, "machine-1");
    await when(worker, scene);
    const signal = async (name: NodeJS.Signals): Promise<void> => {
      if (part === "worker") send(worker.pid, name);
      else await scene.signal("first", name);
    };
    await signal("SIGSTOP");
    const other = scene.worker("second", { machine: "machine-2" });
    try {
      await Promise.race([scene.until(isTakenOver), other.exit]);
      if (until === "taken over") await sleep(1000);
      else await other.until((event) => event.type === "resource" && event.operation === "create");
    } finally {
      await signal("SIGCONT");
    }
    await Promise.all([worker.exit, other.exit]);
    scene.require(
      worker.said().includes('"end":"not-ours"'),
      "who was frozen did not see that the run is another's",
    );
  };

/** Asks it to leave at once, without the 20 s in which a run may end. */
async function stop({ pid }: Helper): Promise<void> {
  send(pid, "SIGTERM");
  // Two at once are one: https://man7.org/linux/man-pages/man7/signal.7.html
  await sleep(500);
  send(pid, "SIGTERM");
}

/** What a worker that is asked to leave does: says whose the run is now. */
const handedOver =
  (when: (helper: Helper, scene: Scene) => Promise<unknown>) =>
  async (scene: Scene): Promise<void> => {
    const worker = await begun(scene);
    await when(worker, scene);
    await stop(worker);
    const { code } = await worker.exit;
    scene.require(code === 0, `the worker left with ${code ?? "a signal"}`);
    scene.require(worker.said().includes('"end":"handed-over"'), "the worker did not hand the run over");
  };

export const workerFaults: readonly Fault[] = [
  {
    name: "killed while it creates",
    group,
    quick: true,
    inject: killed(async (worker) => await worker.until(firstResource)),
    expect: ["succeeded"],
    within: 150,
  },
  {
    name: "killed while the job runs",
    group,
    seconds: 15,
    inject: killed(async (_, scene) => await scene.until(isIn("running"))),
    expect: ["succeeded"],
    within: 120,
  },
  {
    name: "killed while it saves logs",
    group,
    inject: killed(async (worker) => await worker.until(phase("collecting"))),
    expect: ["succeeded"],
    within: 120,
  },
  {
    name: "killed while it destroys",
    group,
    inject: killed(async (worker) => await worker.until(phase("destroying"))),
    expect: ["succeeded"],
    within: 120,
  },
  {
    name: "frozen with all it started, longer than its lease, while it creates; another one takes over",
    group,
    ledger: "postgres",
    inject: frozen({ when: async (worker) => await worker.until(firstResource), part: "all" }),
    expect: ["succeeded"],
    within: 180,
  },
  {
    name: "the same, and it goes on while the other one makes all of it again",
    group,
    ledger: "postgres",
    quick: true,
    inject: frozen({
      when: async (worker) => await worker.until(firstResource),
      part: "all",
      // Only the environment's admission policies see which of two live Pulumi processes may write (docs/leases.md).
      until: "made again",
    }),
    expect: ["succeeded"],
    within: 180,
  },
  {
    name: "frozen alone, longer than its lease, while Pulumi goes on creating; another one takes over",
    group,
    ledger: "postgres",
    inject: frozen({ when: async (worker) => await worker.until(firstResource), part: "worker" }),
    expect: ["succeeded"],
    within: 180,
  },
  {
    name: "frozen longer than its lease while the job runs; another one watches on",
    group,
    ledger: "postgres",
    seconds: 30,
    inject: frozen({ when: async (_, scene) => await scene.until(isIn("running")), part: "all" }),
    expect: ["succeeded"],
    within: 150,
  },
  {
    name: "frozen longer than its lease while it destroys; another one goes on",
    group,
    ledger: "postgres",
    inject: frozen({ when: async (worker) => await worker.until(phase("destroying")), part: "all" }),
    expect: ["succeeded"],
    within: 150,
  },
  {
    name: "SIGTERM while it creates: handed over",
    group,
    inject: handedOver(async (worker) => await worker.until(firstResource)),
    expect: ["succeeded"],
    within: 150,
  },
  {
    name: "SIGTERM while the job runs: handed over",
    group,
    seconds: 15,
    inject: handedOver(async (_, scene) => await scene.until(isIn("running"))),
    expect: ["succeeded"],
    within: 120,
  },
  {
    name: "two workers of two machines for one run",
    group,
    ledger: "postgres",
    inject: async (scene) => {
      const workers = (["first", "second"] as const).map((holder, index) =>
        scene.worker(holder, { machine: `machine-${index + 1}`, args: ["--slots", "1"] }),
      );
      await sleep(2000);
      await scene.submit();
      await scene.until(isIn("succeeded"));
      for (const { pid } of workers) send(pid, "SIGTERM");
      await Promise.all(workers.map(async ({ exit }) => await exit));
      const claims = workers.filter((worker) => worker.said().includes('"type":"claimed"'));
      scene.require(claims.length === 1, `${claims.length} workers took the run`);
    },
    expect: ["succeeded"],
    within: 120,
  },
  {
    name: "API server away for longer than the lease, while the job runs",
    group,
    quick: true,
    seconds: 20,
    inject: async (scene) => {
      const worker = await begun(scene);
      await scene.until(isIn("running"));
      await scene.place.proxy.down();
      await sleep((LEASE_SECONDS + 3) * 1000);
      await scene.place.proxy.restore();
      await worker.exit;
    },
    expect: ["succeeded"],
    within: 120,
  },
  {
    name: "API server away for longer than the lease, while it creates",
    group,
    inject: async (scene) => {
      const worker = await begun(scene);
      await worker.until(firstResource);
      await scene.place.proxy.down();
      await sleep((LEASE_SECONDS + 3) * 1000);
      await scene.place.proxy.restore();
      await worker.exit;
    },
    expect: ["succeeded"],
    within: 180,
  },
  {
    name: "cut off from the API server alone; another machine's worker takes over, then the network is back",
    group,
    ledger: "postgres",
    seconds: 20,
    inject: async (scene) => {
      const worker = await begun(scene, "machine-1");
      await scene.until(isIn("running"));
      scene.place.proxy.spoil(({ holder }) => (holder === "first" ? { do: "cut" } : undefined));
      const other = scene.worker("second", { machine: "machine-2" });
      await Promise.race([scene.until(isTakenOver), other.exit]);
      scene.place.proxy.spoil(undefined);
      await Promise.all([worker.exit, other.exit]);
    },
    expect: ["succeeded"],
    within: 150,
  },
  {
    name: "clocks of two workers two minutes apart: nobody takes over from who lives, and somebody from who died",
    group,
    ledger: "postgres",
    seconds: 25,
    inject: async (scene) => {
      await scene.submit();
      scene.worker("first", {
        machine: "machine-1",
        env: { NODE_OPTIONS: wrongClock(60, 0) },
      });
      await scene.until(isIn("running"));
      const other = scene.worker("second", {
        machine: "machine-2",
        env: { NODE_OPTIONS: wrongClock(-60, 0) },
      });
      await sleep(2.5 * LEASE_SECONDS * 1000);
      const { fence } = await scene.until(() => true);
      scene.require(fence === 1, "the run of a living worker was taken over");
      await scene.signal("first", "SIGKILL");
      await other.exit;
    },
    expect: ["succeeded"],
    within: 150,
  },
  {
    name: "clock jumps two hours forward",
    group,
    seconds: 5,
    inject: async (scene) => {
      await scene.submit();
      await scene.worker("first", { env: { NODE_OPTIONS: wrongClock(7200) } }).exit;
    },
    expect: ["succeeded"],
    within: 120,
  },
  {
    name: "clock jumps two hours back",
    group,
    seconds: 5,
    inject: async (scene) => {
      await scene.submit();
      await scene.worker("first", { env: { NODE_OPTIONS: wrongClock(-7200) } }).exit;
    },
    expect: ["succeeded"],
    within: 120,
  },
  {
    name: "one key submitted by four processes at once",
    group,
    inject: async (scene) => {
      const runs = await Promise.all(
        Array.from({ length: 4 }, async () => await scene.submit("--key", "nightly-2026-11-24")),
      );
      scene.require(new Set(runs).size === 1, `${new Set(runs).size} runs of one key`);
      await scene.worker("first").exit;
    },
    expect: ["succeeded"],
    within: 90,
  },
];
