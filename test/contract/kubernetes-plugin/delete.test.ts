import { describe, expect, it } from "vitest";
import { listAt, textAt } from "../../../lab/kubernetes-plugin/json.ts";
import { get, mergePatch, namespace, RUNNING, setPodStatuses } from "./api.ts";
import { kubernetes as k8s, openStack, timed } from "./harness.ts";
import { deployment, job, of } from "./programs.ts";

describe("deleting", () => {
  it("waits for dependents to go first", async () => {
    const ns = await namespace();
    const stack = await openStack();
    const up = stack.up(
      of(() => {
        deployment(ns);
      }),
    );
    await setPodStatuses(ns, 2, RUNNING);
    await up;
    await stack.destroy();
    expect(listAt(await get(`/api/v1/namespaces/${ns}/pods`), "items")).toEqual([]);
    expect(listAt(await get(`/apis/apps/v1/namespaces/${ns}/replicasets`), "items")).toEqual([]);
  });

  it("leaves dependents where the object is annotated so", async () => {
    const ns = await namespace();
    const stack = await openStack();
    await stack.up(
      of(() => {
        job(ns, { "pulumi.com/skipAwait": "true", "pulumi.com/deletionPropagationPolicy": "orphan" });
      }),
    );
    await setPodStatuses(ns, 1, RUNNING);
    await stack.destroy();
    const pods = listAt(await get(`/api/v1/namespaces/${ns}/pods`), "items");
    expect(pods.map((pod) => textAt(pod, "status", "phase"))).toEqual(["Running"]);
  });

  it("says what holds an object back that does not go, and succeeds once it may", async () => {
    const ns = await namespace();
    const stack = await openStack();
    const path = `/api/v1/namespaces/${ns}/configmaps/held`;
    await stack.up(
      of(() => {
        new k8s.core.v1.ConfigMap(
          "held",
          { metadata: { namespace: ns, name: "held", finalizers: ["example.com/hold"] } },
          { customTimeouts: { delete: "3s" } },
        );
      }),
    );
    const [time, error] = await timed(stack.destroy().then(() => "", String));
    expect(error).toMatch(/example\.com\/hold/);
    expect(time).toBeLessThan(20_000);
    expect(await stack.objects()).toHaveLength(1);
    await mergePatch(path, { metadata: { finalizers: null } });
    await stack.destroy();
    expect(await stack.objects()).toEqual([]);
    expect(await get(path)).toBeUndefined();
  });
});
