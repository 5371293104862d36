import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { readState } from "../../../jobs/reap/state.ts";

const stack = { type: "pulumi:pulumi:Stack", custom: false };
const namespace = {
  type: "kubernetes:core/v1:Namespace",
  custom: true,
  inputs: { metadata: { labels: { "mayfly.dev/run": "orders-1", "mayfly.dev/environment": "prod" } } },
};
const text = (latest: unknown): Buffer =>
  Buffer.from(JSON.stringify({ version: 3, checkpoint: { stack: "orders-1", latest } }));

test("a state tells its objects, its run and its environment, zipped or not", () => {
  const state = text({ resources: [stack, namespace] });
  const read = { objects: 1, run: "orders-1", environment: "prod" };
  expect(readState(state)).toEqual(read);
  expect(readState(gzipSync(state))).toEqual(read);
});

test("what was being made when its process died counts as an object", () => {
  expect(readState(text({ resources: [stack], pending_operations: [{}] }))).toMatchObject({ objects: 1 });
});

test("an empty stack has no objects", () => {
  for (const latest of [undefined, null, {}, { resources: [stack] }])
    expect(readState(text(latest))).toMatchObject({ objects: 0, run: undefined });
});

test("half a file is broken at whatever byte it ends", () => {
  const state = text({ resources: [stack, namespace] });
  for (let length = 0; length < state.length; length++)
    expect(readState(state.subarray(0, length))).toBe("broken");
});

test("JSON of a form that is not known is not taken for broken: it may list objects", () => {
  for (const document of [
    {},
    null,
    [],
    { version: 9, deployment: {} },
    { version: 3, checkpoint: { latest: { resources: {} } } },
  ])
    expect(readState(Buffer.from(JSON.stringify(document)))).toBe("strange");
});
