import type { Clock, LeaseAnswer, LeaseDraft, LeasePort, LeaseRecord } from "../../../jobs/lease/types.ts";

interface Sleeper {
  readonly at: number;
  readonly wake: () => void;
}

/** Lets everything that can go on without time passing go on. */
async function settle(): Promise<void> {
  for (let i = 0; i < 3; i++) {
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
  }
}

/** True time, in milliseconds, which passes only when told to; and machines whose clocks differ. */
export class Time {
  #now = 0;
  #sleepers: Sleeper[] = [];

  get now(): number {
    return this.#now;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted === true) {
        resolve();
        return;
      }
      const wake = (): void => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        signal?.removeEventListener("abort", wake);
        resolve();
      };
      const sleeper = { at: this.#now + Math.max(0, ms), wake };
      this.#sleepers.push(sleeper);
      signal?.addEventListener("abort", wake);
    });
  }

  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (;;) {
      const next = this.#sleepers.reduce<Sleeper | undefined>(
        (first, sleeper) => (first === undefined || sleeper.at < first.at ? sleeper : first),
        undefined,
      );
      if (next === undefined || next.at > end) break;
      this.#now = next.at;
      next.wake();
      await settle();
    }
    this.#now = end;
  }
}

/** A machine: its monotonic clock begins anywhere, its wall clock may be wrong and be set, and its processes may be stopped. */
export class Machine implements Clock {
  readonly #time: Time;
  readonly #booted: number;
  /** Milliseconds by which the wall clock is wrong. */
  skew = 0;
  #stopped: { readonly until: Promise<void>; readonly go: () => void } | undefined;

  constructor(time: Time, booted: number) {
    this.#time = time;
    this.#booted = booted;
  }

  readonly monotonic = (): number => this.#time.now + this.#booted;
  readonly wall = (): number => Date.UTC(2026, 10, 24) + this.#time.now + this.skew;
  readonly sleep = async (ms: number, signal: AbortSignal): Promise<void> => {
    await this.#time.sleep(ms, signal);
    await this.#stopped?.until;
  };

  /** SIGSTOP: nothing that waits goes on. */
  stop(): void {
    if (this.#stopped !== undefined) return;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.#stopped = {
      until: promise.then(() => undefined),
      go: () => {
        resolve(undefined);
      },
    };
  }

  /** SIGCONT. */
  go(): void {
    this.#stopped?.go();
    this.#stopped = undefined;
  }
}

/** An API server with one Lease: compare-and-swap by resourceVersion, and a write of what is there already changes nothing. */
export class Server {
  lease: LeaseRecord | undefined;
  writes: LeaseDraft[] = [];
  #version = 0;
  #uid = 0;

  #store(draft: LeaseDraft, uid: string): LeaseAnswer {
    const before = this.lease;
    const { holder, transitions, renewTime, durationSeconds } = draft;
    const same = before?.holder === holder && before.renewTime === renewTime && before.uid === uid;
    if (!same) this.#version++;
    this.writes.push(draft);
    this.lease = {
      uid,
      resourceVersion: String(this.#version),
      holder,
      transitions,
      renewTime,
      durationSeconds,
    };
    return { kind: "lease", lease: this.lease };
  }

  readonly #differs = ({ uid, resourceVersion }: LeaseRecord): boolean =>
    this.lease?.uid !== uid || this.lease.resourceVersion !== resourceVersion;

  get(): LeaseAnswer {
    return this.lease === undefined ? { kind: "absent" } : { kind: "lease", lease: this.lease };
  }

  create(draft: LeaseDraft): LeaseAnswer {
    if (this.lease !== undefined) return { kind: "conflict" };
    return this.#store(draft, String(++this.#uid));
  }

  replace(over: LeaseRecord, draft: LeaseDraft): LeaseAnswer {
    if (this.lease === undefined) return { kind: "absent" };
    return this.#differs(over) ? { kind: "conflict" } : this.#store(draft, over.uid);
  }

  remove(over: LeaseRecord): LeaseAnswer {
    if (this.lease !== undefined && this.#differs(over)) return { kind: "conflict" };
    this.lease = undefined;
    return { kind: "absent" };
  }

  /** Somebody's label, which a holder has nothing to do with. */
  touch(): void {
    if (this.lease !== undefined) this.lease = { ...this.lease, resourceVersion: String(++this.#version) };
  }
}

/** `away`: refused at once; `silent`: never answered and not done; `lost`: writes are done, but their answers never come. */
export type Fault = "away" | "silent" | "lost" | undefined;

/** One machine's way to the server, with a delay there and back. */
export class Network implements LeasePort {
  readonly #time: Time;
  readonly #server: Server;
  fault: Fault;
  delay = 5;
  /** Thrown instead of answering, as an expired token would. */
  refusal: Error | undefined;

  constructor(time: Time, server: Server) {
    this.#time = time;
    this.#server = server;
  }

  async #pass(signal: AbortSignal, work: () => LeaseAnswer, kind = "write"): Promise<LeaseAnswer> {
    const { fault, refusal } = this;
    if (refusal !== undefined) throw refusal;
    if (fault === "away") return { kind: "unanswered", cause: new Error("connect ECONNREFUSED") };
    if (fault === "silent") return await never(signal);
    await this.#time.sleep(this.delay);
    const answer = work();
    if (fault === "lost" && kind === "write") return await never(signal);
    await this.#time.sleep(this.delay);
    return answer;
  }

  readonly get = (signal: AbortSignal): Promise<LeaseAnswer> =>
    this.#pass(signal, () => this.#server.get(), "read");
  readonly create = (draft: LeaseDraft, signal: AbortSignal): Promise<LeaseAnswer> =>
    this.#pass(signal, () => this.#server.create(draft));
  readonly replace = (over: LeaseRecord, draft: LeaseDraft, signal: AbortSignal): Promise<LeaseAnswer> =>
    this.#pass(signal, () => this.#server.replace(over, draft));
  readonly remove = (over: LeaseRecord, signal: AbortSignal): Promise<LeaseAnswer> =>
    this.#pass(signal, () => this.#server.remove(over));
}

/** Doesn't even heed its signal. */
const never = (_signal: AbortSignal): Promise<LeaseAnswer> => new Promise(() => undefined);
