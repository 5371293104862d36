import { randomBytes } from "node:crypto";
import { describe, expect, it, onTestFinished } from "vitest";
import { at, recordAt } from "../../../lab/kubernetes-plugin/json.ts";
import { applyAs, get, mergePatch, PREFIX, post, remove } from "./api.ts";
import { kubernetes as k8s, openStack } from "./harness.ts";
import { of } from "./programs.ts";

const path = (node: string): string => `/api/v1/nodes/${node}`;

/** A node without a machine, that nothing is scheduled to. */
async function someNode(labels: Record<string, string> = {}): Promise<string> {
  const name = `${PREFIX}-${randomBytes(4).toString("hex")}`;
  await post("/api/v1/nodes", {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name, labels },
    spec: { unschedulable: true },
  });
  onTestFinished(async () => {
    await remove(path(name));
  });
  return name;
}

const patch = (node: string, labels: Record<string, string>, annotations: Record<string, string> = {}) =>
  of(() => {
    new k8s.core.v1.NodePatch("pool", { metadata: { name: node, labels, annotations } });
  });

const labelsOf = async (node: string): Promise<unknown> =>
  recordAt(await get(path(node)), "metadata", "labels");

describe("a Patch resource of an object without a namespace", () => {
  it("adds its label, is stable over updates and refreshes, changes in place, and takes just that label off again", async () => {
    const node = await someNode({ "acme.com/rack": "7" });
    const stack = await openStack();
    expect((await stack.up(patch(node, { pool: "m7g" }))).changes).toEqual({ create: 1 });
    expect(await labelsOf(node)).toEqual({ "acme.com/rack": "7", pool: "m7g" });
    expect((await stack.up(patch(node, { pool: "m7g" }))).changes).toEqual({ same: 1 });
    await stack.refresh();
    expect((await stack.up(patch(node, { pool: "m7g" }))).changes).toEqual({ same: 1 });
    expect((await stack.up(patch(node, { pool: "r7g" }))).changes).toEqual({ update: 1 });
    expect(await labelsOf(node)).toEqual({ "acme.com/rack": "7", pool: "r7g" });
    await stack.destroy();
    expect(await labelsOf(node)).toEqual({ "acme.com/rack": "7" });
    expect(at(await get(path(node)), "spec", "unschedulable")).toBe(true);
  });

  it("gives up a label that leaves the program and keeps the others", async () => {
    const node = await someNode();
    const stack = await openStack();
    await stack.up(patch(node, { pool: "m7g", tier: "gold" }));
    await stack.up(patch(node, { pool: "m7g" }));
    expect(await labelsOf(node)).toEqual({ pool: "m7g" });
  });

  it("leaves a label that another manager has set too, to that one, when it goes", async () => {
    const node = await someNode();
    const stack = await openStack();
    await stack.up(patch(node, { pool: "m7g" }));
    await applyAs("their-tool", path(node), {
      apiVersion: "v1",
      kind: "Node",
      metadata: { name: node, labels: { pool: "m7g" } },
    });
    await stack.destroy();
    expect(await labelsOf(node)).toEqual({ pool: "m7g" });
  });

  it("fails where another manager has set the label otherwise, and takes it over only where annotated so", async () => {
    const node = await someNode();
    await mergePatch(path(node), { metadata: { labels: { pool: "gpu" } } });
    const stack = await openStack();
    await expect(stack.up(patch(node, { pool: "m7g" }))).rejects.toThrow(
      /conflict[\s\S]*somebody-else[\s\S]*\.metadata\.labels\.pool/,
    );
    expect(await labelsOf(node)).toEqual({ pool: "gpu" });
    await stack.up(patch(node, { pool: "m7g" }, { "pulumi.com/patchForce": "true" }));
    expect(await labelsOf(node)).toEqual({ pool: "m7g" });
  });

  it("notices at a refresh that somebody took the label off, and the next update puts it back", async () => {
    const node = await someNode();
    const stack = await openStack();
    await stack.up(patch(node, { pool: "m7g" }));
    await mergePatch(path(node), { metadata: { labels: { pool: null } } });
    await stack.refresh();
    expect((await stack.up(patch(node, { pool: "m7g" }))).changes).toEqual({ update: 1 });
    expect(await labelsOf(node)).toEqual({ pool: "m7g" });
  });

  it("moves to another object by a replacement: the first one is given back", async () => {
    const [first, second] = [await someNode(), await someNode()];
    const stack = await openStack();
    await stack.up(patch(first, { pool: "m7g" }));
    await stack.up(patch(second, { pool: "m7g" }));
    expect(await labelsOf(first)).toEqual({});
    expect(await labelsOf(second)).toEqual({ pool: "m7g" });
  });

  it("doesn't bring an object back that went away before it", async () => {
    const node = await someNode();
    const stack = await openStack();
    await stack.up(patch(node, { pool: "m7g" }));
    await remove(path(node));
    await stack.destroy();
    expect(await get(path(node))).toBeUndefined();
  });

  // As the official plugin does: https://github.com/pulumi/pulumi-kubernetes/issues/2194
  it("makes the object where there is none, so programs read it first", async () => {
    const node = `${PREFIX}-${randomBytes(4).toString("hex")}`;
    onTestFinished(async () => {
      await remove(path(node));
    });
    const stack = await openStack();
    await stack.up(patch(node, { pool: "m7g" }));
    expect(await labelsOf(node)).toEqual({ pool: "m7g" });
    await remove(path(node));
    await expect(
      (await openStack()).up(
        of(() => {
          const existing = k8s.core.v1.Node.get("existing", node);
          new k8s.core.v1.NodePatch(
            "pool",
            { metadata: { name: node, labels: { pool: "m7g" } } },
            { dependsOn: [existing] },
          );
        }),
      ),
    ).rejects.toThrow(node);
    expect(await get(path(node))).toBeUndefined();
  });
});
