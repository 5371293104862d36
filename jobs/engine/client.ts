// Boundary: messages come untyped from our own child.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stateDir } from "../../base/paths.ts";
import type { Connection } from "../../schema/connection.ts";
import { engineEnv } from "./environment.ts";
import { EngineFailure } from "./errors.ts";
import type { FromWorker, Operation, OperationResult, ToWorker } from "./protocol.ts";
import type { OperationOptions, StackEngine } from "./types.ts";

/** How long an engine that has nothing to do may take to end. */
const CLOSE_MS = 45_000;

interface Pending {
  readonly resolve: (result: OperationResult) => void;
  readonly reject: (failure: EngineFailure) => void;
  readonly options: OperationOptions;
}

/** The engine in a process of its own, so that a defect of the SDK, or of a job's program, ends there. */
export interface ProcessEngine extends StackEngine {
  /** Of the engine's process. */
  readonly pid: number | undefined;
}

/**
 * Starts the engine's process and returns at once: it loads while the caller plans.
 * @param connection Where Pulumi, its state and the cluster are.
 */
export function startEngine(connection: Connection): ProcessEngine {
  const worker = fork(fileURLToPath(new URL("worker.ts", import.meta.url)), {
    env: { ...engineEnv(connection), MAYFLY_ENGINE_WORK: join(stateDir(), "work") },
    // Small young generation: this process makes little garbage, and is there once per run.
    execArgv: ["--disable-warning=ExperimentalWarning", "--max-semi-space-size=1"],
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    // A session of its own: a terminal's Ctrl-C is for the helper, which cleans up with this process.
    detached: true,
  });
  return new Client(worker);
}

class Client implements ProcessEngine {
  readonly pid: number | undefined;
  readonly #worker: ChildProcess;
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;
  #said = "";
  #ended: string | undefined;

  constructor(worker: ChildProcess) {
    this.pid = worker.pid;
    this.#worker = worker;
    for (const stream of [worker.stdout, worker.stderr]) {
      stream?.setEncoding("utf8").on("data", (chunk: string) => {
        this.#said = (this.#said + chunk).slice(-4000);
      });
    }
    worker.on("message", (message) => {
      this.#receive(message as FromWorker);
    });
    worker.on("error", (error) => {
      this.#end(error.message);
    });
    worker.on("exit", (code, signal) => {
      this.#end(`exit ${signal ?? code ?? ""}`);
    });
  }

  create: StackEngine["create"] = async (plan, options = {}) => {
    await this.#call({ name: "create", stack: plan.stack }, options);
  };

  up: StackEngine["up"] = async (plan, options = {}) => {
    await this.#call({ name: "up", plan }, options);
  };

  preview: StackEngine["preview"] = async (plan, options = {}) => {
    const result = await this.#call({ name: "preview", plan }, options);
    return result.kind === "resources" ? result.resources : [];
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
    if (this.#ended !== undefined) return;
    const exited = once(this.#worker, "exit");
    // The worker ends by itself when its channel closes.
    if (this.#worker.connected) this.#worker.disconnect();
    const kill = setTimeout(() => this.#worker.kill("SIGKILL"), CLOSE_MS);
    await exited;
    clearTimeout(kill);
  };

  async #call(operation: Operation, options: OperationOptions): Promise<OperationResult> {
    const { signal } = options;
    if (signal?.aborted === true) throw cancelled();
    if (this.#ended !== undefined) throw this.#lost();
    const id = this.#nextId++;
    const interrupt = (): void => {
      this.#send({ type: "interrupt", id });
    };
    signal?.addEventListener("abort", interrupt, { once: true });
    try {
      return await new Promise((resolve, reject) => {
        this.#pending.set(id, { resolve, reject, options });
        this.#send({ type: "start", id, operation });
      });
    } finally {
      signal?.removeEventListener("abort", interrupt);
      this.#pending.delete(id);
    }
  }

  #send(message: ToWorker): void {
    // A failed send means that the process ended, which rejects what is pending.
    if (this.#worker.connected) this.#worker.send(message, () => undefined);
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

  #end(reason: string): void {
    this.#ended ??= reason;
    for (const { reject } of this.#pending.values()) reject(this.#lost());
  }

  #lost(): EngineFailure {
    const said = this.#said.trim();
    const message = `The engine's process ended (${this.#ended ?? "?"})${said === "" ? "" : `: ${said}`}`;
    return new EngineFailure({ kind: "cli", message });
  }
}

const cancelled = (): EngineFailure =>
  new EngineFailure({ kind: "cancelled", message: "The operation was stopped." });
