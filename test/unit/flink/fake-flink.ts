import { readFileSync } from "node:fs";
import { Agent, createServer } from "node:http";
import { z } from "zod";
import { requests } from "../../../jobs/flink/http.ts";
import { flinkRest } from "../../../jobs/flink/rest.ts";
import type { FlinkRest } from "../../../jobs/flink/types.ts";

export const JOB = "72e62182dd61f2cfe9d6870cf36a827f";

/** What a real Flink of that version answered, as recorded on the lab (stack traces cut to their first frames). */
export const recorded = (version: "2.3.0" | "1.20.1", name: string): unknown =>
  JSON.parse(readFileSync(new URL(`answers/${version}/${name}.json`, import.meta.url), "utf8"));

/** `away`: the connection breaks without an answer. `slow`: it never answers. */
export type Scripted = { readonly status?: number; readonly body: unknown } | "away" | "slow";

/** Answers of one route, one after the other; the last one goes on. Keys such as `GET /checkpoints`: the path after the job's. */
export type Script = Readonly<Record<string, readonly Scripted[]>>;

export interface Asked {
  readonly route: string;
  readonly body: unknown;
}

export interface FakeFlink {
  readonly rest: FlinkRest;
  readonly asked: readonly Asked[];
  readonly [Symbol.asyncDispose]: () => Promise<void>;
}

/** An HTTP server in place of Flink's REST. */
export async function fakeFlink(script: Script): Promise<FakeFlink> {
  const asked: Asked[] = [];
  const counts = new Map<string, number>();
  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    request.on("end", () => {
      const path = new URL(request.url ?? "", "http://flink").pathname.replace(`/v1/jobs/${JOB}`, "");
      const exact = `${request.method ?? ""} ${(request.url ?? "").replace(`/v1/jobs/${JOB}`, "") || "/"}`;
      // The trigger's id is whatever was asked with.
      const route = `${request.method ?? ""} ${path.replace(/\/savepoints\/[0-9a-f]{32}$/, "/savepoints/TRIGGER") || "/"}`;
      asked.push({ route: exact, body: text === "" ? undefined : JSON.parse(text) });
      const answers = script[exact] ?? script[route];
      if (answers === undefined) {
        response.writeHead(404, { "content-type": "application/json" });
        response.end(JSON.stringify({ errors: [`Not found: ${exact}`] }));
        return;
      }
      const count = counts.get(route) ?? 0;
      counts.set(route, count + 1);
      const answer = answers[Math.min(count, answers.length - 1)];
      if (answer === "slow") return;
      if (answer === "away" || answer === undefined) {
        request.socket.destroy();
        return;
      }
      response.writeHead(answer.status ?? 200, { "content-type": "application/json; charset=UTF-8" });
      response.end(JSON.stringify(answer.body));
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const agent = new Agent({ keepAlive: true });
  const rest = flinkRest(requests(agent, port), JOB, () => {
    agent.destroy();
  });
  return {
    rest,
    asked,
    [Symbol.asyncDispose]: async () => {
      rest.close();
      server.closeAllConnections();
      await new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
      });
    },
  };
}

const object = z.record(z.string(), z.unknown());

/** A recorded job in another state, or with other fields. */
export const jobAs = (fields: object, version: "2.3.0" | "1.20.1" = "2.3.0"): { body: unknown } => ({
  body: { ...object.parse(recorded(version, "job")), ...fields },
});
export const job = (state: string): { body: unknown } => jobAs({ state });

export const inProgress = { body: { status: { id: "IN_PROGRESS" } } };
export const completed = (location: string): { body: unknown } => ({
  body: { status: { id: "COMPLETED" }, operation: { location } },
});
export const forgotten = { status: 404, body: recorded("2.3.0", "trigger-forgotten") };
export const noJob = { status: 404, body: recorded("2.3.0", "job-not-found") };
export const accepted = { status: 202, body: { "request-id": "0" } };

export const never = new AbortController().signal;
