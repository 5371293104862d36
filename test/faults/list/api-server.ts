// The API server goes away, hangs, is slow, refuses, forgets: by the proxy before it, so that other runs don't notice.
import { setTimeout as sleep } from "node:timers/promises";
import { phase } from "../processes.ts";
import type { Rule } from "../proxy.ts";
import type { Fault, Scene } from "../types.ts";

const group = "API server";

/** The API server's process is gone for a while. */
async function downFor({ place }: Scene, ms: number): Promise<void> {
  await place.proxy.down();
  await sleep(ms);
  await place.proxy.restore();
}

async function hangFor({ place }: Scene, ms: number): Promise<void> {
  place.proxy.hang();
  await sleep(ms);
  await place.proxy.restore();
}

/** Settles when the N-th write has come. */
async function atWrite(scene: Scene, n: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  scene.place.proxy.spoil(({ write, writes }) => {
    if (write && writes === n) resolve(undefined);
    return undefined;
  });
  const helper = await scene.start();
  await Promise.race([promise, helper.exit]);
}

/** The whole run with one rule. */
const under =
  (rule: () => Rule) =>
  async (scene: Scene): Promise<void> => {
    scene.place.proxy.spoil(rule());
    await (await scene.start()).exit;
  };

/** What fits `hits`, each `every`-th time. */
const everyNth = (
  every: number,
  hits: (request: Parameters<Rule>[0]) => boolean,
  action: ReturnType<Rule>,
) => {
  let count = 0;
  return (): Rule => (request) => {
    if (!hits(request)) return undefined;
    count += 1;
    return count % every === 0 ? action : undefined;
  };
};

const isPodList = (path: string): boolean => /\/pods(\?|$)/.test(path);

/** The first list of pods that has none, or few, comes again once, later. */
function staleList({ place }: Scene): void {
  let old: string | undefined;
  let served = false;
  place.proxy.record(isPodList, (body) => {
    old ??= body;
  });
  place.proxy.spoil(({ method, path, watch }) => {
    if (method !== "GET" || !isPodList(path)) return undefined;
    // So that it lists again.
    if (watch) return { do: "end-after", ms: 1500 };
    if (served || old === undefined) return undefined;
    served = true;
    return { do: "answer", body: old };
  });
}

export const apiServerFaults: readonly Fault[] = [
  {
    name: "down at submit, and stays so",
    group,
    inject: async (scene) => {
      await scene.place.proxy.down();
      await (await scene.start()).exit;
    },
    expect: ["not begun"],
    within: 60,
  },
  {
    name: "hangs at submit, and stays so",
    group,
    inject: async (scene) => {
      scene.place.proxy.hang();
      await (await scene.start()).exit;
    },
    expect: ["not begun"],
    within: 90,
  },
  {
    name: "down for 5 s at the 5th write",
    group,
    quick: true,
    inject: async (scene) => {
      await atWrite(scene, 5);
      await downFor(scene, 5000);
    },
    expect: ["succeeded", "infrastructure"],
    within: 120,
  },
  {
    name: "hangs for 15 s at the 5th write",
    group,
    inject: async (scene) => {
      await atWrite(scene, 5);
      await hangFor(scene, 15_000);
    },
    expect: ["succeeded", "infrastructure"],
    within: 120,
  },
  {
    name: "down for 10 s while the job runs",
    group,
    seconds: 15,
    inject: async (scene) => {
      await (await scene.start()).until(phase("running"));
      await downFor(scene, 10_000);
    },
    expect: ["succeeded"],
    within: 120,
  },
  {
    name: "down for 10 s at destroy",
    group,
    quick: true,
    inject: async (scene) => {
      await (await scene.start()).until(phase("destroying"));
      await downFor(scene, 10_000);
    },
    expect: ["succeeded"],
    within: 120,
  },
  {
    name: "429 with Retry-After for each third request",
    group,
    quick: true,
    inject: under(everyNth(3, () => true, { do: "refuse", status: 429, retryAfterSeconds: 1 })),
    expect: ["succeeded"],
    within: 120,
  },
  {
    name: "500 for each third write",
    group,
    inject: under(everyNth(3, ({ write }) => write, { do: "refuse", status: 500 })),
    expect: ["succeeded", "infrastructure"],
    within: 180,
  },
  {
    name: "500 for each third read",
    group,
    inject: under(everyNth(3, ({ write }) => !write, { do: "refuse", status: 500 })),
    expect: ["succeeded", "infrastructure"],
    within: 180,
  },
  {
    name: "5 s late with each write",
    group,
    inject: under(everyNth(1, ({ write }) => write, { do: "delay", ms: 5000 })),
    // A lease of 8 s can't be kept where each renewal takes 5; this one is the default.
    leaseSeconds: 30,
    expect: ["succeeded"],
    within: 240,
  },
  {
    name: "connection cut before each fifth write",
    group,
    inject: under(everyNth(5, ({ write }) => write, { do: "cut" })),
    expect: ["succeeded", "infrastructure"],
    within: 180,
  },
  {
    name: "answer lost of each fifth write",
    group,
    quick: true,
    inject: under(everyNth(5, ({ write }) => write, { do: "lose-answer" })),
    expect: ["succeeded", "infrastructure"],
    within: 180,
  },
  {
    name: "watches end after 1 s each",
    group,
    quick: true,
    seconds: 5,
    inject: under(everyNth(1, ({ watch }) => watch, { do: "end-after", ms: 1000 })),
    expect: ["succeeded"],
    within: 120,
  },
  {
    name: "an old list of pods once",
    group,
    seconds: 5,
    inject: async (scene) => {
      staleList(scene);
      await (await scene.start()).exit;
    },
    expect: ["succeeded"],
    within: 120,
  },
];
