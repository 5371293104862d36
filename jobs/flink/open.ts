// Boundary: Node's HTTP agents give their callbacks untyped options.
import http from "node:http";
import type { Duplex } from "node:stream";
import type { FlinkPlan } from "../../schema/plan.ts";
import type { Cluster } from "../watch/index.ts";
// By its own name: what watches runs of Spark need not load a WebSocket client.
import { coordinatorPort } from "../watch/portforward.ts";
import { requests } from "./http.ts";
import { flinkRest } from "./rest.ts";
import type { FlinkRest } from "./types.ts";

/** Where Flink's REST listens, on the JobManager's loopback: jobs/plan/flink/settings.ts says so in the plan's files. */
const REST_PORT = 8081;

/** An idle connection is not used again after this: the kubelet or a load balancer may have closed it. */
const KEEP_MS = 20_000;

type Connect = () => Promise<Duplex>;

class PodAgent extends http.Agent {
  readonly #connect: Connect;
  #closed = false;

  constructor(connect: Connect) {
    super({ keepAlive: true, maxSockets: 4, timeout: KEEP_MS });
    this.#connect = connect;
  }

  override createConnection(
    _options: http.ClientRequestArgs,
    created?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    const failed = (error: unknown): void => {
      // The stream of a failed connection is never looked at, but typed as if there were one.
      Reflect.apply(created ?? (() => undefined), undefined, [error]);
    };
    this.#connect().then((stream) => {
      // Made for somebody who is gone: kept, it would keep the process from its end.
      if (this.#closed) stream.destroy();
      // Its end may have come with its beginning; a request that is given it would wait for another one.
      if (stream.destroyed) failed(stream.errored ?? new Error("the connection was closed at once"));
      else created?.(null, stream);
    }, failed);
  }

  override destroy(): void {
    this.#closed = true;
    super.destroy();
  }
}

/**
 * Opens the REST of the plan's attempt: at the JobManager's loopback, through the API server's `pods/portforward`. Talks to nobody yet.
 * Close it: it keeps connections.
 */
export function openFlink(cluster: Cluster, plan: FlinkPlan): FlinkRest {
  const agent = new PodAgent(() => coordinatorPort(cluster, plan.namespace, REST_PORT));
  return flinkRest(requests(agent, REST_PORT), plan.jobId, () => {
    agent.destroy();
  });
}
