import { describe, expect, it } from "vitest";
import { at } from "../../../lab/kubernetes-plugin/json.ts";
import { FAILED, get, namespace, POD, RUNNING, SUCCEEDED, setPodStatuses } from "./api.ts";
import { kubernetes as k8s, openStack, timed } from "./harness.ts";
import { deployment, job, labels, of, template, waits } from "./programs.ts";

describe("waiting until objects are ready", () => {
  it("waits for a Deployment's pods", async () => {
    const ns = await namespace();
    const stack = await openStack();
    const up = stack.up(
      of(() => {
        deployment(ns);
      }),
    );
    await setPodStatuses(ns, 2, { phase: "Pending" });
    expect(await waits(up)).toBe(true);
    await setPodStatuses(ns, 2, RUNNING);
    expect((await up).changes).toEqual({ create: 1 });
  });

  it("waits for a StatefulSet's pods", async () => {
    const ns = await namespace();
    const stack = await openStack();
    const up = stack.up(
      of(() => {
        new k8s.apps.v1.StatefulSet("worker", {
          metadata: { namespace: ns, name: "worker" },
          spec: {
            replicas: 2,
            podManagementPolicy: "Parallel",
            serviceName: "worker",
            selector: { matchLabels: labels },
            template,
          },
        });
      }),
    );
    await setPodStatuses(ns, 2, { phase: "Pending" });
    expect(await waits(up)).toBe(true);
    await setPodStatuses(ns, 2, RUNNING);
    await up;
  });

  it("waits for a Pod", async () => {
    const ns = await namespace();
    const stack = await openStack();
    const up = stack.up(
      of(() => {
        new k8s.core.v1.Pod("single", { metadata: { namespace: ns, name: "single" }, spec: POD });
      }),
    );
    await setPodStatuses(ns, 1, { phase: "Pending" });
    expect(await waits(up)).toBe(true);
    await setPodStatuses(ns, 1, RUNNING);
    await up;
  });

  it("waits for a Job to complete", async () => {
    const ns = await namespace();
    const stack = await openStack();
    const up = stack.up(
      of(() => {
        job(ns);
      }),
    );
    await setPodStatuses(ns, 1, RUNNING);
    expect(await waits(up)).toBe(true);
    await setPodStatuses(ns, 1, SUCCEEDED);
    await up;
  });

  it("fails with a Job's own reason when the Job fails, and keeps the Job in the state", async () => {
    const ns = await namespace();
    const stack = await openStack();
    const up = stack.up(
      of(() => {
        job(ns);
      }),
    );
    up.catch(() => undefined);
    await setPodStatuses(ns, 1, FAILED);
    await expect(up).rejects.toThrow(/BackoffLimitExceeded/);
    const [state] = await stack.objects();
    expect(state?.id).toBe(`${ns}/driver`);
    expect(state?.initErrors?.join(" ")).toMatch(/BackoffLimitExceeded/);
  });

  it("does not wait for what is annotated so", async () => {
    const ns = await namespace();
    const stack = await openStack();
    const [time] = await timed(
      stack.up(
        of(() => {
          job(ns, { "pulumi.com/skipAwait": "true" });
        }),
      ),
    );
    expect(time).toBeLessThan(8000);
    await stack.refresh();
    expect((await stack.objects())[0]?.initErrors ?? []).toEqual([]);
  });

  it("gives up at the resource's own time limit, says what is missing, and goes on with the same object later", async () => {
    const ns = await namespace();
    const stack = await openStack();
    const [time, error] = await timed(
      stack
        .up(
          of(() => {
            deployment(ns, "3s");
          }),
        )
        .then(() => "", String),
    );
    expect(error).toMatch(/failed to fully initialize or become live/);
    expect(time).toBeLessThan(20_000);
    const uid = at((await stack.objects())[0]?.outputs, "metadata", "uid");
    expect(uid).toBeTypeOf("string");
    await setPodStatuses(ns, 2, RUNNING);
    await stack.up(
      of(() => {
        deployment(ns, "3s");
      }),
    );
    const [state] = await stack.objects();
    expect(at(state?.outputs, "metadata", "uid")).toBe(uid);
    expect(state?.initErrors ?? []).toEqual([]);
  });

  it("takes a time limit from the annotation too", async () => {
    const ns = await namespace();
    const stack = await openStack();
    const program = of(() => {
      job(ns, { "pulumi.com/timeoutSeconds": "2" });
    });
    const [time] = await timed(stack.up(program).catch(() => undefined));
    expect(time).toBeGreaterThan(2000);
    expect(time).toBeLessThan(20_000);
  });

  it("reports an object as not ready in a refresh", async () => {
    const ns = await namespace();
    const stack = await openStack();
    const up = stack.up(
      of(() => {
        deployment(ns);
      }),
    );
    await setPodStatuses(ns, 2, RUNNING);
    await up;
    await setPodStatuses(ns, 2, { ...RUNNING, conditions: [{ type: "Ready", status: "False" }] });
    await expect
      .poll(async () => numberOf(await get(`/apis/apps/v1/namespaces/${ns}/deployments/web`)), {
        timeout: 10_000,
      })
      .toBe(0);
    await stack.refresh().catch(() => undefined);
    expect((await stack.objects())[0]?.initErrors ?? []).not.toEqual([]);
  });
});

const numberOf = (object: Parameters<typeof at>[0]): unknown =>
  at(object, "status", "availableReplicas") ?? 0;

describe("waiting for Services and claims", () => {
  const service = (ns: string, spec: object): void => {
    new k8s.core.v1.Service(
      "web",
      {
        metadata: { namespace: ns, name: "web" },
        spec: { selector: labels, ports: [{ port: 80 }], ...spec },
      },
      { customTimeouts: { create: "3s" } },
    );
  };

  it("has a headless Service ready at once", async () => {
    const ns = await namespace();
    const stack = await openStack();
    await stack.up(
      of(() => {
        service(ns, { clusterIP: "None" });
      }),
    );
  });

  it("waits for the address of a load balancer", async () => {
    const ns = await namespace();
    const stack = await openStack();
    await expect(
      stack.up(
        of(() => {
          service(ns, { type: "LoadBalancer" });
        }),
      ),
    ).rejects.toThrow(/failed to fully initialize or become live/);
  });

  it("has a claim ready that waits for its first consumer, and waits for any other to be bound", async () => {
    const ns = await namespace();
    const stack = await openStack();
    const claim = (name: string, storageClassName: Parameters<typeof String>[0]): void => {
      new k8s.core.v1.PersistentVolumeClaim(
        name,
        {
          metadata: { namespace: ns, name },
          spec: {
            accessModes: ["ReadWriteOnce"],
            storageClassName: storageClassName as string,
            resources: { requests: { storage: "1Gi" } },
          },
        },
        { customTimeouts: { create: "3s" } },
      );
    };
    const storageClass = `${ns}-late`;
    const withClass = (more: () => void) =>
      of(() => {
        new k8s.storage.v1.StorageClass("late", {
          metadata: { name: storageClass },
          provisioner: "nobody.example/none",
          volumeBindingMode: "WaitForFirstConsumer",
        });
        more();
      });
    await stack.up(
      withClass(() => {
        claim("late", storageClass);
      }),
    );
    await expect(
      stack.up(
        withClass(() => {
          claim("late", storageClass);
          claim("never", "no-such-class");
        }),
      ),
    ).rejects.toThrow(/never/);
  });
});
