import type { Plan } from "../../schema/plan.ts";
import { discardStack, prepare } from "./hands.ts";
import type { DriverTools } from "./types.ts";

/**
 * The first attempt of a foreground run, begun beside the taking of its lease: all is looked at while the empty stack is made. The run is
 * new in the ledger, hence so is the stack's name, and whoever has one of that name already is not disturbed.
 */
export class Ahead {
  readonly plan: Plan;
  readonly #tools: Pick<DriverTools, "engine" | "cluster" | "store">;
  readonly #created: Promise<void>;
  readonly #ready: Promise<void>;
  /** Its stack is somebody's business, or gone. */
  #settled = false;

  constructor(plan: Plan, tools: Pick<DriverTools, "engine" | "cluster" | "store">) {
    this.plan = plan;
    this.#tools = tools;
    this.#created = tools.engine.create(plan);
    this.#ready = prepare(plan, tools, this.#created, true);
    this.#created.catch(() => undefined);
    this.#ready.catch(() => {
      this.#settled = true;
    });
  }

  /** Whoever has the lease goes on with it. @throws Refusal, or why the stack may be left */
  async take(): Promise<void> {
    this.#settled = true;
    await this.#ready;
  }

  /** Why it could not begin; undefined where it could. */
  async failure(): Promise<unknown> {
    return await this.#ready.then(
      () => undefined,
      (error: unknown) => error,
    );
  }

  /** Nobody goes on with it: the empty stack is removed. */
  async drop(): Promise<void> {
    if (this.#settled) return;
    this.#settled = true;
    const made = await this.#created.then(
      () => true,
      () => false,
    );
    if (made) await discardStack(this.plan, this.#tools.engine);
  }
}
