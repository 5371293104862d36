import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { at, listAt, textAt } from "../../../lab/kubernetes-plugin/json.ts";
import {
  FAILED,
  get,
  kubernetes as k8s,
  mergePatch,
  namespace,
  openStack,
  POD,
  type Report,
  RUNNING,
  setPodStatuses,
  SUCCEEDED,
  timed,
} from "./harness.ts";

const labels = { app: "web" };
const template = { metadata: { labels }, spec: POD };
const job = (ns: string, annotations: Record<string, string> = {}, backoffLimit = 0): void => {
  new k8s.batch.v1.Job("driver", {
    metadata: { namespace: ns, name: "driver", annotations },
    spec: { backoffLimit, template: { spec: { ...POD, restartPolicy: "Never" } } },
  });
};
const deployment = (ns: string, create?: string): void => {
  new k8s.apps.v1.Deployment(
    "web",
    {
      metadata: { namespace: ns, name: "web" },
      spec: { replicas: 2, selector: { matchLabels: labels }, template },
    },
    create === undefined ? {} : { customTimeouts: { create } },
  );
};
const of = (make: () => void) => async (): Promise<void> => {
  make();
  return Promise.resolve();
};

/** Whether an update is still going when everything that it asked for exists but is not ready. */
async function waits(up: Promise<Report>): Promise<boolean> {
  return (await Promise.race([up.then(() => "over"), sleep(1500).then(() => "waiting")])) === "waiting";
}

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

describe("pulumi.com/waitFor", () => {
  const settings = (ns: string, waitFor: string, create = "20s"): void => {
    new k8s.core.v1.ConfigMap(
      "settings",
      {
        metadata: { namespace: ns, name: "settings", annotations: { "pulumi.com/waitFor": waitFor } },
        data: { a: "1" },
      },
      { customTimeouts: { create }, ignoreChanges: ["data"] },
    );
  };
  const path = (ns: string): string => `/api/v1/namespaces/${ns}/configmaps/settings`;

  it("waits until a JSONPath has a value", async () => {
    const ns = await namespace();
    const stack = await openStack();
    const up = stack.up(
      of(() => {
        settings(ns, "jsonpath={.data.phase}=Running");
      }),
    );
    await expect.poll(() => get(path(ns)), { timeout: 10_000 }).toBeDefined();
    await mergePatch(path(ns), { data: { phase: "Starting" } });
    expect(await waits(up)).toBe(true);
    await mergePatch(path(ns), { data: { phase: "Running" } });
    await up;
  });

  it("waits until all of a list hold", async () => {
    const ns = await namespace();
    const stack = await openStack();
    const up = stack.up(
      of(() => {
        settings(ns, '["jsonpath={.data.one}=yes", "jsonpath={.data.two}"]');
      }),
    );
    await expect.poll(() => get(path(ns)), { timeout: 10_000 }).toBeDefined();
    await mergePatch(path(ns), { data: { one: "yes" } });
    expect(await waits(up)).toBe(true);
    await mergePatch(path(ns), { data: { two: "anything" } });
    await up;
  });

  it("waits for a condition, instead of what the kind is waited for otherwise", async () => {
    const ns = await namespace();
    const stack = await openStack();
    const up = stack.up(
      of(() => {
        job(ns, { "pulumi.com/waitFor": "condition=Suspended=False" });
      }),
    );
    up.catch(() => undefined);
    await setPodStatuses(ns, 1, RUNNING);
    expect(await waits(up)).toBe(true);
    await mergePatch(`/apis/batch/v1/namespaces/${ns}/jobs/driver/status`, {
      status: { conditions: [{ type: "Suspended", status: "False" }] },
    });
    await up;
  });

  it("refuses an expression that is neither", async () => {
    const ns = await namespace();
    const stack = await openStack();
    await expect(
      stack.up(
        of(() => {
          settings(ns, "phase=Running");
        }),
      ),
    ).rejects.toThrow(/expected a "jsonpath=" or "condition=" prefix/);
  });
});

describe("stopping", () => {
  it("ends a wait at once when the user cancels, and keeps the object in the state", async () => {
    const ns = await namespace();
    const stack = await openStack();
    const stop = new AbortController();
    const up = stack.up(
      of(() => {
        deployment(ns);
      }),
      stop.signal,
    );
    up.catch(() => undefined);
    await setPodStatuses(ns, 2, { phase: "Pending" });
    stop.abort();
    const [time] = await timed(up.catch(() => undefined));
    expect(time).toBeLessThan(5000);
    expect((await stack.objects()).map(({ id }) => id)).toEqual([`${ns}/web`]);
  });
});

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
