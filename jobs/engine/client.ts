// Boundary: messages come untyped from our own child.

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { anySignal } from "../../base/abort.ts";
import { stateDir } from "../../base/paths.ts";
import type { Connection } from "../../schema/connection.ts";
import { watchBackend } from "./backend-watch.ts";
import { engineEnv } from "./environment.ts";
import { EngineFailure } from "./errors.ts";
import {
  type FromWorker,
  type Operation,
  type OperationResult,
  type ToWorker,
  WORK_FOLDER,
} from "./protocol.ts";
import type { OperationOptions, StackEngine } from "./types.ts";
import { createStack, forgetStack, removeStack, sweepFolders, type Workplace } from "./workplace.ts";

/** How long an engine that has nothing to do may take to end. */
const CLOSE_MS = 45_000;

interface Pending {
  readonly resolve: (result: OperationResult) => void;
  readonly reject: (failure: EngineFailure) => void;
  readonly options: OperationOptions;
}

/** The engine in a process of its own, so that a defect of the SDK, or of a job's program, ends there. */
export interface ProcessEngine extends StackEngine {
  /** Ends the process until it is needed again: a job may run for hours, and this takes 50 MB. Nothing may be pending. */
  readonly rest: () => void;
  /** Starts the process if there is none, ahead of the next operation. */
  readonly wake: () => void;
}

/**
 * Starts the engine's process and returns at once: it loads while the caller plans. A process that died is replaced at the next
 * operation, so that what it began can be destroyed.
 * @param connection Where Pulumi, its state and the cluster are.
 */
export function startEngine(connection: Connection): ProcessEngine {
  const place: Workplace = { folder: join(stateDir(), "work"), env: engineEnv(connection) };
  const engine = new Client(place, () =>
    fork(fileURLToPath(new URL("worker.ts", import.meta.url)), {
      env: { ...place.env, [WORK_FOLDER]: place.folder },
      // Small young generation: this process makes little garbage, and is there once per run. Its heap is bounded:
      // one that leaks ends, and is replaced, before it takes the machine's memory.
      execArgv: [
        "--disable-warning=ExperimentalWarning",
        "--max-semi-space-size=1",
        "--max-old-space-size=512",
      ],
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      // A session of its own: a terminal's Ctrl-C is for the helper, which cleans up with this process.
      detached: true,
    }),
  );
  engine.wake();
  return engine;
}

class Client implements ProcessEngine {
  readonly #place: Workplace;
  readonly #fork: () => ChildProcess;
  readonly #pending = new Map<number, Pending>();
  #worker: ChildProcess | undefined;
  #nextId = 1;
  #said = "";

  constructor(place: Workplace, forkWorker: () => ChildProcess) {
    this.#place = place;
    this.#fork = forkWorker;
  }

  wake = (): void => {
    this.#living();
  };

  rest = (): void => {
    const worker = this.#worker;
    if (worker === undefined || this.#pending.size > 0) return;
    this.#worker = undefined;
    // It ends by itself when its channel closes.
    if (worker.connected) worker.disconnect();
  };

  // From here, as the next two: the engine's process may be busy loading the SDK, which these don't need.
  create: StackEngine["create"] = async (plan) => {
    await createStack(this.#place, plan.stack);
  };

  remove: StackEngine["remove"] = async (stack) => {
    await removeStack(this.#place, stack);
  };

  forget: StackEngine["forget"] = async (stack) => {
    await forgetStack(this.#place, stack);
  };

  up: StackEngine["up"] = async (plan, options = {}) => {
    const { fence, policy } = options;
    const backend = watchBackend(this.#place.env["PULUMI_BACKEND_URL"] ?? "", plan.stack);
    const given = options.signal === undefined ? [] : [options.signal];
    const signal = anySignal([backend.unwritable, ...given]);
    try {
      await this.#call({ name: "up", plan, policy: policy === true, fence }, { ...options, signal });
    } catch (error) {
      if (!backend.unwritable.aborted) throw error;
      throw new EngineFailure({ kind: "unreachable", message: String(backend.unwritable.reason) });
    } finally {
      backend.close();
    }
  };

  preview: StackEngine["preview"] = async (plan, options = {}) => {
    await this.#call({ name: "preview", plan, policy: options.policy === true }, options);
  };

  destroy: StackEngine["destroy"] = async (stack, options = {}) => {
    await this.#call({ name: "destroy", stack }, options);
  };

  unlock: StackEngine["unlock"] = async (stack) => {
    await this.#call({ name: "unlock", stack }, {});
  };

  list: StackEngine["list"] = async () => {
    const result = await this.#call({ name: "list" }, {});
    return result.kind === "stacks" ? result.stacks : [];
  };

  close: StackEngine["close"] = async () => {
    const worker = this.#worker;
    if (worker === undefined) return;
    const exited = once(worker, "exit");
    if (worker.connected) worker.disconnect();
    const kill = setTimeout(() => worker.kill("SIGKILL"), CLOSE_MS);
    await Promise.all([exited, sweepFolders(this.#place)]);
    clearTimeout(kill);
  };

  async #call(operation: Operation, options: OperationOptions): Promise<OperationResult> {
    const { signal } = options;
    if (signal?.aborted === true) throw cancelled();
    const worker = this.#living();
    const id = this.#nextId++;
    const interrupt = (): void => {
      tell(worker, { type: "interrupt", id });
    };
    signal?.addEventListener("abort", interrupt, { once: true });
    try {
      return await new Promise((resolve, reject) => {
        this.#pending.set(id, { resolve, reject, options });
        tell(worker, { type: "start", id, operation });
      });
    } finally {
      signal?.removeEventListener("abort", interrupt);
      this.#pending.delete(id);
    }
  }

  #living(): ChildProcess {
    if (this.#worker !== undefined) return this.#worker;
    const worker = this.#fork();
    this.#worker = worker;
    this.#said = "";
    for (const stream of [worker.stdout, worker.stderr]) {
      stream?.setEncoding("utf8").on("data", (chunk: string) => {
        this.#said = (this.#said + chunk).slice(-4000);
      });
    }
    worker.on("message", (message) => {
      this.#receive(message as FromWorker);
    });
    worker.on("error", (error) => {
      this.#lost(worker, error.message);
    });
    worker.on("exit", (code, signal) => {
      this.#lost(worker, `exit ${signal ?? code ?? ""}`);
    });
    return worker;
  }

  #receive(message: FromWorker): void {
    const pending = this.#pending.get(message.id);
    switch (message.type) {
      case "event":
        pending?.options.onEvent?.(message.event);
        break;
      case "done":
        pending?.resolve(message.result);
        break;
      case "failed":
        pending?.reject(new EngineFailure(message.error));
        break;
    }
  }

  #lost(worker: ChildProcess, reason: string): void {
    // One that was sent to rest, or has been replaced.
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    const said = this.#said.trim();
    const message = `The engine's process ended (${reason})${said === "" ? "" : `: ${said}`}`;
    for (const { reject } of this.#pending.values()) reject(new EngineFailure({ kind: "cli", message }));
  }
}

/** A failed send means that the process ended, which rejects what is pending. */
function tell(worker: ChildProcess, message: ToWorker): void {
  if (worker.connected) worker.send(message, () => undefined);
}

const cancelled = (): EngineFailure =>
  new EngineFailure({ kind: "cancelled", message: "The operation was stopped." });
