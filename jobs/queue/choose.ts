import { type Choice, type HeldBack, type Limits, limitsOf, type Memory, type QueuedRun } from "./types.ts";

/**
 * Each so-manieth start goes to the run that has waited longest, whatever its priority and its tenant's share: else an endless stream
 * of urgent runs would starve all others. A run behind n others starts after at most this times (n + 1) starts.
 */
export const PATIENCE = 4;

export interface ChooseInput {
  /** All that wait, or at least as many of each tenant, by priority and by age, as this helper may start: the same are chosen. */
  readonly queue: readonly QueuedRun[];
  /** How many runs are at work on all helpers, by tenant. */
  readonly running: ReadonlyMap<string, number>;
  /** How many of them on this one. */
  readonly here: number;
  readonly limits: Limits;
  readonly memory: Memory;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Starts of this helper so far. */
  readonly turn: number;
}

/**
 * Pure: which queued runs this helper starts now. Highest priority first, then the tenant with the least running for its weight, then who
 * waits longest; within the limits of tenant, helper and memory. The order of `queue` does not matter.
 */
export function choose({ queue, running, here, limits, memory, now, turn }: ChooseInput): Choice {
  const perTenant = new Map(running);
  const has = (tenant: string): number => perTenant.get(tenant) ?? 0;
  const share = ({ tenant }: QueuedRun): number => has(tenant) / limitsOf(limits, tenant).weight;
  const hasRoom = ({ tenant }: QueuedRun): boolean => has(tenant) < limitsOf(limits, tenant).running;

  const slots = limits.helper - here;
  const affordable = roomFor(memory);
  const due = queue.filter(({ notBefore }) => notBefore === undefined || notBefore <= now);
  const waiting = new Set(due);
  const start: QueuedRun[] = [];
  while (start.length < Math.min(slots, affordable)) {
    const patient = (turn + start.length + 1) % PATIENCE === 0;
    const order = patient ? byWaiting : byRank(share);
    const next = [...waiting].filter(hasRoom).reduce<QueuedRun | undefined>((best, run) => {
      return best === undefined || order(run, best) < 0 ? run : best;
    }, undefined);
    if (next === undefined) break;
    start.push(next);
    waiting.delete(next);
    perTenant.set(next.tenant, has(next.tenant) + 1);
  }

  const because = (run: QueuedRun): HeldBack => {
    if (!due.includes(run)) return "not-before";
    if (!hasRoom(run)) return "tenant-limit";
    return start.length >= slots ? "helper-limit" : "memory";
  };
  const heldBack = queue
    .filter((run) => !start.includes(run))
    .map((run) => ({ run: run.run, because: because(run) }));
  return { start, heldBack };
}

/** For how many further runs there is memory. */
export const roomFor = ({ available, reserve, perRun, starting }: Memory): number =>
  Math.max(0, Math.floor((available - reserve) / perRun) - starting);

type Order = (one: QueuedRun, other: QueuedRun) => number;

const waitsSince = ({ submittedAt, notBefore }: QueuedRun): number => Math.max(submittedAt, notBefore ?? 0);

const byWaiting: Order = (one, other) =>
  waitsSince(one) - waitsSince(other) || (one.run < other.run ? -1 : 1);

const byRank =
  (share: (run: QueuedRun) => number): Order =>
  (one, other) =>
    other.priority - one.priority || share(one) - share(other) || byWaiting(one, other);
