import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { checkSpec } from "../../../jobs/plan/check.ts";
import { stateCompatible } from "../../../jobs/plan/flink/compatible.ts";
import { reservedSetting } from "../../../jobs/plan/flink/conf.ts";
import { configText } from "../../../jobs/plan/flink/files.ts";
import { planRun } from "../../../jobs/plan/plan.ts";
import type { Refusal } from "../../../jobs/plan/refusal.ts";
import type { JobSpec } from "../../../schema/job.ts";
import { type FlinkPlan, Plan } from "../../../schema/plan.ts";
import { batch, contract, identity, planOf, stream } from "./flink-sample.ts";

const refusalOf = (spec: JobSpec): Refusal => {
  const result = planRun(spec, contract(), identity);
  if (result.ok) throw new Error("was planned");
  return result.refusal;
};

const Settings = z.record(z.string(), z.string());
const configOf = (plan: FlinkPlan): Record<string, string> =>
  Settings.parse(parse(plan.files["config.yaml"] ?? ""));

/** What the kubelet makes of a command: https://github.com/kubernetes/kubernetes/tree/master/third_party/forked/golang/expansion */
const kubelet = (text: string): string =>
  text.replaceAll(/\$\$|\$\(([\w.-]+)\)/g, (match) => (match === "$$" ? "$" : match));

describe("the plan of a batch job", () => {
  it("is one JobManager without sidecars and the TaskManagers, each of the size that was asked for", () => {
    const plan = planOf(batch());
    expect(Plan.parse(plan)).toEqual(plan);
    expect(plan.coordinator.sidecars).toEqual([]);
    expect(plan.coordinator.driver).toMatchObject({ name: "driver", cpu: 1000, memory: 1600 });
    expect(plan.workers).toMatchObject({ count: 3, container: { name: "worker", cpu: 2000, memory: 4096 } });
    expect(plan.quota).toMatchObject({ pods: 4, cpu: 7000, memory: 1600 + 3 * 4096 });
    expect(plan.kind).toBe("batch");
    expect(plan.state).toBeUndefined();
  });

  it("runs as many parallel tasks as there are slots, or as the job says", () => {
    expect(configOf(planOf(batch()))["parallelism.default"]).toBe("6");
    expect(configOf(planOf(batch({ parallelism: 4 })))["parallelism.default"]).toBe("4");
    expect(refusalOf(batch({ parallelism: 7 }))).toMatchObject({
      code: "not-enough-slots",
      path: "parallelism",
      message: "parallelism is 7, but 3 TaskManagers × 2 slots are 6.",
      hint: "Ask for at least 4 taskManagers.count, or for more slots in each.",
    });
  });

  it("starts the JobManager's JVM directly, jars before the class, the job's arguments behind --", () => {
    const { command } = planOf(batch()).coordinator.driver;
    expect(command.slice(0, 6)).toEqual([
      "/usr/bin/tini",
      "--",
      "/bin/bash",
      "/etc/mayfly/start.sh",
      "java",
      "@/opt/flink/jvm/jobmanager.args",
    ]);
    expect(command).toContain("-Xmx1024m");
    expect(command.slice(command.indexOf("--jars"))).toEqual([
      "--jars",
      "s3://acme-code/orders.jar",
      "--job-classname",
      "com.acme.Orders",
      "--",
      "--input",
      "s3://acme-data/orders",
    ]);
  });

  it("hands every argument to the application as it was written, whatever it looks like", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.string(), fc.constantFrom("$(POD_IP)", "$$", "--host", "-D", "--", "--jars"))),
        (given) => {
          const { command } = planOf(batch({ arguments: given })).coordinator.driver;
          expect(command[command.length - given.length - 1]).toBe("--");
          expect(command.slice(command.length - given.length).map(kubelet)).toEqual(given);
        },
      ),
    );
  });

  it("gives a TaskManager's JVM heap, direct memory and metaspace of the parts that Flink is told", () => {
    const plan = planOf(batch());
    const { command } = plan.workers.container;
    const config = configOf(plan);
    const mb = (key: string): number =>
      Number(/^(\d+) mb$/.exec(config[`taskmanager.memory.${key}`] ?? "")?.[1]);
    expect(command).toContain(`-Xmx${mb("framework.heap.size") + mb("task.heap.size")}m`);
    expect(command).toContain(
      `-XX:MaxDirectMemorySize=${mb("framework.off-heap.size") + mb("task.off-heap.size") + mb("network.max")}m`,
    );
    expect(command).toContain(`-XX:MaxMetaspaceSize=${mb("jvm-metaspace.size")}m`);
    expect(config["taskmanager.cpu.cores"]).toBe("2");
    expect(command.slice(-4)).toEqual([
      "-D",
      "taskmanager.host=$(POD_IP)",
      "-D",
      "taskmanager.resource-id=$(POD_NAME)",
    ]);
  });
});

describe("what goes for every run of Flink", () => {
  it("keeps REST to the JobManager's own pod, and lets nobody submit or cancel by it", () => {
    const plan = planOf(batch());
    expect(configOf(plan)).toMatchObject({
      "rest.bind-address": "127.0.0.1",
      "web.submit.enable": "false",
      "web.cancel.enable": "false",
      "high-availability.type": "NONE",
    });
    expect(plan.coordinator.driver.ports.map(({ port }) => port)).not.toContain(8081);
  });

  it("names every port that a process listens on at other pods' disposal, so that network policies can", () => {
    const plan = planOf(batch());
    const config = configOf(plan);
    const ports = [...plan.coordinator.driver.ports, ...plan.workers.container.ports].map(({ port }) => port);
    for (const key of [
      "jobmanager.rpc.port",
      "blob.server.port",
      "taskmanager.rpc.port",
      "taskmanager.data.port",
      "taskmanager.collect-sink.port",
      "metrics.internal.query-service.port",
      "metrics.reporter.prom.port",
    ]) {
      expect(ports, key).toContain(Number(config[key]));
    }
  });

  it("encrypts and authenticates what passes between pods", () => {
    expect(configOf(planOf(batch()))).toMatchObject({
      "security.ssl.internal.enabled": "true",
      "security.ssl.internal.keystore": "/tmp/internal.p12",
      "security.ssl.internal.truststore": "/tmp/internal.p12",
    });
  });

  it("gives S3 credentials as files of the tenant's Secret, in no variable and no setting", () => {
    const plan = planOf(batch());
    for (const container of [plan.coordinator.driver, plan.workers.container]) {
      expect(container.secretEnv).toEqual([]);
      expect(container.secretFiles).toEqual({
        secret: "s3",
        folder: "/var/run/secrets/mayfly/s3",
        keys: ["access-key-id", "secret-access-key"],
      });
    }
    expect(plan.secrets).toEqual([{ fromNamespace: "tenant-acme", name: "s3" }]);
    expect(Object.keys(configOf(plan)).filter((key) => /access-key|secret/.test(key))).toEqual([]);
  });

  it("leaves S3 out of a job that does not touch it", () => {
    const plan = planOf(
      batch({
        application: { kind: "jar", file: "local:///opt/flink/usrlib/pi.jar", mainClass: "com.acme.Pi" },
        arguments: [],
      }),
    );
    expect(plan.secrets).toEqual([]);
    expect(plan.workers.container.secretFiles).toBeUndefined();
    expect(Object.keys(configOf(plan)).filter((key) => key.startsWith("s3."))).toEqual([]);
  });

  it("has a job id of its own in each run and each attempt, the same whenever it is planned", () => {
    const ids = [
      identity,
      { ...identity, attempt: 2 },
      { run: "nightly-orders-11250544-abcde", attempt: 1 },
    ].map((who) => planOf(batch(), who).jobId);
    expect(new Set(ids).size).toBe(3);
    expect(planOf(batch()).jobId).toBe(ids[0]);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/);
  });

  it("can't be changed by conf where Mayfly computes it", () => {
    const computed = configOf(planOf(stream()));
    for (const key of Object.keys(computed)) {
      // Those of S3 are the plugin's and may be tuned, as may reporters.
      if (/^s3\.(buffer|connection|directory)/.test(key) || key === "metrics.reporter.prom.factory.class")
        continue;
      expect(reservedSetting(key), key).toBeDefined();
    }
  });

  it("takes the rest of conf as it is", () => {
    const plan = planOf(
      batch({ conf: { "table.exec.resource.default-parallelism": "3", "pipeline.object-reuse": "true" } }),
    );
    expect(configOf(plan)).toMatchObject({
      "table.exec.resource.default-parallelism": "3",
      "pipeline.object-reuse": "true",
    });
  });

  it("puts JVM options of conf into the commands, all but those that would contradict the plan", () => {
    const plan = planOf(
      batch({
        conf: { "env.java.opts.all": "-Duser.timezone=UTC", "env.java.opts.taskmanager": "-XX:+UseZGC" },
      }),
    );
    expect(plan.coordinator.driver.command).toContain("-Duser.timezone=UTC");
    expect(plan.coordinator.driver.command).not.toContain("-XX:+UseZGC");
    expect(plan.workers.container.command).toEqual(
      expect.arrayContaining(["-Duser.timezone=UTC", "-XX:+UseZGC"]),
    );
    expect(plan.files["config.yaml"]).not.toContain("env.java");
    expect(refusalOf(batch({ conf: { "env.java.opts.all": "-Xmx8g" } }))).toMatchObject({
      code: "reserved-option",
    });
  });
});

describe("the configuration file", () => {
  it("is config.yaml for 2.x and flink-conf.yaml for 1.x, with the same settings", () => {
    const [two, one] = [planOf(batch()), planOf(batch({ version: "1.20" }))];
    expect(Object.keys(two.files).sort()).toEqual(["config.yaml", "log4j2.properties", "start.sh"]);
    expect(Object.keys(one.files).sort()).toEqual(["flink-conf.yaml", "log4j2.properties", "start.sh"]);
    const legacy = Object.fromEntries(
      (one.files["flink-conf.yaml"] ?? "")
        .trim()
        .split("\n")
        .map((line) => [line.slice(0, line.indexOf(": ")), line.slice(line.indexOf(": ") + 2)]),
    );
    expect(legacy).toEqual(configOf(two));
  });

  it("of 2.x gives YAML readers every text back as it was, whatever it holds", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.stringMatching(/^[a-z]{1,8}(\.[a-z-]{1,8}){0,3}$/), fc.string()),
        (settings) => {
          const keys = Object.keys(settings);
          const back: unknown = keys.length === 0 ? {} : parse(configText("2.3.0", settings));
          expect(back).toEqual({ ...settings });
        },
      ),
    );
  });

  it("of 1.x refuses values that its reader would cut, naming the key", () => {
    expect(refusalOf(batch({ version: "1.20.1", conf: { "table.sql-dialect": "a # b" } }))).toMatchObject({
      code: "conf-value-impossible",
      path: "conf.table.sql-dialect",
    });
    expect(planOf(batch({ conf: { "table.sql-dialect": "a # b" } })).files["config.yaml"]).toContain(
      '"a # b"',
    );
  });
});

describe("the plan of a stream", () => {
  it("keeps checkpoints of each attempt apart, spread by entropy, and savepoints with the job", () => {
    const [first, second] = [planOf(stream()), planOf(stream(), { ...identity, attempt: 2 })];
    expect(first.state).toEqual({
      checkpoints: "s3://acme-data/state/_entropy_/nightly-orders/nightly-orders-11240544-k3fqa/1",
      savepoints: "s3://acme-data/state/nightly-orders/savepoints",
    });
    expect(second.state?.checkpoints).not.toBe(first.state?.checkpoints);
    expect(second.state?.savepoints).toBe(first.state?.savepoints);
    expect(configOf(first)).toMatchObject({
      "s3.entropy.key": "_entropy_",
      "s3.entropy.length": "4",
      "execution.checkpointing.dir": first.state?.checkpoints,
      "execution.checkpointing.savepoint-dir": first.state?.savepoints,
      "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
      "execution.checkpointing.interval": "60 s",
      "execution.checkpointing.num-retained": "3",
      "state.backend.type": "hashmap",
      "restart-strategy.type": "exponential-delay",
      "execution.runtime-mode": "STREAMING",
    });
  });

  it("adds RocksDB's disk to the TaskManagers' scratch, and to no JobManager's", () => {
    const plan = planOf(
      stream({ scratch: { kind: "emptyDir", size: "2Gi" }, state: { backend: "rocksdb", disk: "10Gi" } }),
    );
    expect(plan.workers.scratch).toEqual({ kind: "emptyDir", size: 12 * 1024 });
    expect(plan.coordinator.scratch).toEqual({ kind: "emptyDir", size: 2 * 1024 });
    expect(configOf(plan)).toMatchObject({
      "state.backend.type": "rocksdb",
      "state.backend.rocksdb.localdir": "/scratch/state",
      "execution.checkpointing.incremental": "true",
    });
  });

  it("starts from a savepoint, and drops state only if told to", () => {
    const savepoint = "s3://acme-data/state/nightly-orders/savepoints/savepoint-c99-1";
    const command = (from: object): string => planOf(stream({ from })).coordinator.driver.command.join(" ");
    expect(command({ savepoint })).toContain(`--fromSavepoint ${savepoint} --jars`);
    expect(command({ savepoint, allowNonRestoredState: true })).toContain(
      `--fromSavepoint ${savepoint} --allowNonRestoredState --jars`,
    );
  });

  it("goes on from what its helper found, whatever its spec says, and says which", () => {
    const from = { savepoint: "s3://acme-data/state/nightly-orders/savepoints/savepoint-c99-1" };
    const location = "s3://acme-data/state/nightly-orders/nightly-orders-1/1/0a/chk-7";
    const restore = { location, kind: "checkpoint", allowNonRestoredState: true } as const;
    const plan = planOf(stream({ from }), { ...identity, attempt: 2, restore });
    expect(plan.restore).toEqual(restore);
    expect(plan.coordinator.driver.command.join(" ")).toContain(
      `--fromSavepoint ${location} --allowNonRestoredState --jars`,
    );
    expect(planOf(stream({ from })).restore).toMatchObject({ location: from.savepoint, kind: "savepoint" });
    expect(planOf(stream({ from: { savepoint: location } })).restore?.kind).toBe("checkpoint");
    expect(planOf(stream())).not.toHaveProperty("restore");
    expect(planOf(batch(), { ...identity, restore })).not.toHaveProperty("restore");
  });

  it("leaves its JobManager there when it ends or fails, so that it can be asked why; a batch job's exit code says it", () => {
    expect(configOf(planOf(stream()))).toMatchObject({
      "execution.shutdown-on-application-finish": "false",
      "execution.submit-failed-job-on-application-error": "true",
      "execution.state-recovery.claim-mode": "NO_CLAIM",
    });
    expect(configOf(planOf(batch()))).toMatchObject({ "execution.shutdown-on-application-finish": "true" });
  });

  it("can be given another parallelism while it runs, by the names that its version has for that", () => {
    const timesOf = (config: Record<string, string>) =>
      Object.keys(config)
        .filter((key) => key.startsWith("jobmanager.adaptive-scheduler."))
        .map((key) => key.slice("jobmanager.adaptive-scheduler.".length))
        .sort();
    const [newer, older] = [planOf(stream()), planOf(stream({ version: "1.20" }))];
    const lines = (older.files["flink-conf.yaml"] ?? "").trim().split("\n");
    const olderConfig: Record<string, string> = Object.fromEntries(
      lines.map((line) => [line.split(": ")[0] ?? "", line.split(": ")[1] ?? ""]),
    );
    expect(configOf(newer)["jobmanager.scheduler"]).toBe("adaptive");
    expect(olderConfig["jobmanager.scheduler"]).toBe("adaptive");
    expect(timesOf(configOf(newer))).toEqual([
      "executing.cooldown-after-rescaling",
      "executing.resource-stabilization-timeout",
      "submission.resource-stabilization-timeout",
      "submission.resource-wait-timeout",
    ]);
    expect(timesOf(olderConfig)).toEqual([
      "resource-stabilization-timeout",
      "resource-wait-timeout",
      "scaling-interval.min",
    ]);
    expect(configOf(planOf(batch()))).not.toHaveProperty(["jobmanager.scheduler"]);
  });

  it("has no deadline, and says so where one is given", () => {
    expect(planOf(stream()).deadlines).not.toHaveProperty("run");
    expect(planOf(batch()).deadlines.run).toBe(3600);
    expect(() => stream({ deadline: "1h" })).toThrow("a stream has no deadline");
  });

  it("has no place for state that it would not find again", () => {
    expect(refusalOf(stream({ checkpoints: { location: "s3://acme-data/_entropy_/x" } }))).toMatchObject({
      code: "reserved-location",
    });
  });

  it.each([
    [{ strategy: "none" }, { "restart-strategy.type": "disable" }],
    [
      { strategy: "fixed-delay", attempts: 5, delay: "10s" },
      { "restart-strategy.fixed-delay.attempts": "5", "restart-strategy.fixed-delay.delay": "10 s" },
    ],
    [
      { strategy: "failure-rate", failures: 2, interval: "10m" },
      {
        "restart-strategy.failure-rate.max-failures-per-interval": "2",
        "restart-strategy.failure-rate.failure-rate-interval": "600 s",
      },
    ],
    [
      { strategy: "exponential-delay", maximum: "2m" },
      { "restart-strategy.exponential-delay.max-backoff": "120 s" },
    ],
  ])("restarts as %o says", (restart, settings) => {
    expect(configOf(planOf(stream({ restart })))).toMatchObject(settings);
  });
});

describe("a job of Flink is refused", () => {
  it("for its memory by validate already, with the place in the file", () => {
    const problems = checkSpec(batch({ taskManagers: { count: 1, memory: "1Gi" } }));
    expect(problems).toMatchObject([{ path: ["taskManagers", "memory"] }]);
  });

  it("for settings that Mayfly computes, with what to write instead", () => {
    expect(
      refusalOf(
        batch({
          conf: {
            "taskmanager.memory.process.size": "8g",
            "state.backend.type": "rocksdb",
            "rest.port": "80",
          },
        }),
      ),
    ).toMatchObject({
      code: "reserved-property",
      hint:
        "Instead of taskmanager.memory.process.size use taskManagers.memory. Instead of state.backend.type use state. " +
        "Leave out rest.port, it is the same for every job.",
    });
  });

  it("for Python without an image that has PyFlink", () => {
    const python = { kind: "python", file: "s3://acme-code/orders.py" };
    expect(refusalOf(batch({ application: python }))).toMatchObject({ code: "python-needs-image" });
    const { command } = planOf(batch({ application: python, image: "registry.example/acme/pyflink:2.3.0" }))
      .coordinator.driver;
    expect(command.slice(command.indexOf("--job-classname"))).toEqual([
      "--job-classname",
      "org.apache.flink.client.python.PythonDriver",
      "--",
      "--python",
      "s3://acme-code/orders.py",
      "--input",
      "s3://acme-data/orders",
    ]);
  });

  it("for a version before the settings had their names", () => {
    expect(checkSpec(batch({ version: "1.18.1" }))).toMatchObject([{ path: ["version"] }]);
  });

  it("where a TaskManager is larger than any node, in Flink's words", () => {
    expect(refusalOf(batch({ taskManagers: { count: 1, memory: "500Gi" } }))).toMatchObject({
      code: "does-not-fit-node",
      path: "taskManagers",
      hint: expect.stringContaining("taskManagers.memory") as unknown,
    });
  });
});

describe("state that another version wrote", () => {
  it.each([
    ["2.1.1", "2.3.0"],
    ["2.3.0", "2.3.0"],
    ["1.20.1", "1.20.3"],
  ])("of %s can be gone on from by %s", (from, to) => {
    expect(stateCompatible(from, to)).toEqual({ ok: true });
  });

  it.each([
    ["1.20.1", "2.3.0", true, "flink-version-major"],
    ["2.3.0", "2.1.1", true, "flink-version-downgrade"],
    ["2.0.0", "1.20.1", false, "flink-version-downgrade"],
  ])("of %s is refused by %s; insisting on it helps: %s", (from, to, forcible, code) => {
    expect(stateCompatible(from, to)).toMatchObject({
      ok: false,
      forcible,
      refusal: { code, path: "version" },
    });
  });
});
