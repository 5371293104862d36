// The engine's process, forked by client.ts: loads the Pulumi SDK while the helper still plans, then does what it is told.
// Boundary: messages come untyped from our own parent.

import { leaveOutUnused } from "../../base/leave-out.ts";
import type { EngineFailure } from "./errors.ts";
import {
  type FromWorker,
  type Operation,
  type OperationResult,
  type ToWorker,
  WORK_FOLDER,
} from "./protocol.ts";
import type { OperationOptions } from "./types.ts";
import type { Workplace } from "./workplace.ts";

// Whoever stops a process group or a service stops its helper too, and that decides what becomes of the cluster.
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => undefined);

leaveOutUnused();
const place = workplace();
// The SDK would write this path into the provider's inputs, hence into the state, and a destroy from another machine would go by it
// instead of that machine's own. The CLI and its plugins have it from `place`.
// https://github.com/pulumi/pulumi-kubernetes/blob/v4.23.0/sdk/nodejs/provider.ts
delete process.env["KUBECONFIG"];
const running = new Map<number, AbortController>();
const loaded = import("./operations.ts");
// Only up and preview need the program, but it is loaded meanwhile too.
const program = import("./program.ts");

process.on("message", (message: unknown) => {
  const { type, id, ...rest } = message as ToWorker;
  if (type === "interrupt") running.get(id)?.abort();
  else void start(id, (rest as { operation: Operation }).operation);
});

/** The helper is gone: stop what is in flight in an orderly way, so that no lock stays, then end. */
process.on("disconnect", () => {
  for (const controller of running.values()) controller.abort();
  setTimeout(() => process.exit(1), 40_000).unref();
  const end = (): void => {
    if (running.size === 0) process.exit(0);
    else setTimeout(end, 50);
  };
  end();
});

async function start(id: number, operation: Operation): Promise<void> {
  const controller = new AbortController();
  running.set(id, controller);
  try {
    const options: OperationOptions = {
      signal: controller.signal,
      onEvent: (event) => {
        send({ type: "event", id, event });
      },
    };
    send({ type: "done", id, result: await perform(operation, options) });
  } catch (error) {
    send({ type: "failed", id, error: (error as EngineFailure).error });
  } finally {
    running.delete(id);
  }
}

async function perform(operation: Operation, told: OperationOptions): Promise<OperationResult> {
  const options = { ...told, policy: "policy" in operation && operation.policy };
  const { destroy, list, preview, unlock, up } = await loaded;
  switch (operation.name) {
    case "up":
      await up(
        place,
        operation.plan.stack,
        (await program).programOf(operation.plan, operation.fence),
        options,
      );
      return { kind: "nothing" };
    case "preview":
      await preview(place, operation.plan.stack, (await program).programOf(operation.plan), options);
      return { kind: "nothing" };
    case "destroy":
      await destroy(place, operation.stack, options);
      return { kind: "nothing" };
    case "unlock":
      await unlock(place, operation.stack);
      return { kind: "nothing" };
    case "list":
      return { kind: "stacks", stacks: await list(place) };
  }
}

/** The helper has given this process the environment that Pulumi shall have, and nothing else. */
function workplace(): Workplace {
  const variables = Object.entries(process.env).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  return { folder: process.env[WORK_FOLDER] ?? "", env: Object.fromEntries(variables) };
}

/** A parent that died between two events is no error of ours. */
function send(message: FromWorker): void {
  if (process.connected) process.send?.(message, undefined, {}, () => undefined);
}
