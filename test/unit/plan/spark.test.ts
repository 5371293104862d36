import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { planRun } from "../../../jobs/plan/plan.ts";
import { reservedProperty, splitOptions } from "../../../jobs/plan/spark/conf.ts";
import { propertiesFile } from "../../../jobs/plan/spark/files.ts";
import { literal } from "../../../jobs/plan/text.ts";
import type { Plan } from "../../../schema/plan.ts";
import { environment, identity, pi, wordcount } from "./sample.ts";

const plan = (spec: ReturnType<typeof wordcount>): Plan => {
  const result = planRun(spec, environment(), identity);
  if (!result.ok) throw new Error(result.refusal.message);
  return result.plan;
};

const properties = (of: Plan, role = "driver"): Map<string, string> =>
  new Map(
    (of.files[`${role}.properties`] ?? "")
      .trim()
      .split("\n")
      .map((line): [string, string] => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );

/** What the kubelet makes of a command or variable: https://github.com/kubernetes/kubernetes/tree/master/third_party/forked/golang/expansion */
const kubelet = (text: string): string =>
  text.replaceAll(/\$\$|\$\(([\w.-]+)\)/g, (match, name: string | undefined) =>
    match === "$$" ? "$" : name === "POD_IP" ? "10.244.0.7" : match,
  );

describe("the driver's command", () => {
  it("runs SparkSubmit directly, with the heap and cores of the plan", () => {
    const { command } = plan(wordcount()).coordinator.driver;
    expect(command.slice(0, 6)).toEqual([
      "/usr/bin/tini",
      "--",
      "/bin/bash",
      "/etc/mayfly/driver.sh",
      "java",
      "@/opt/spark/jvm/driver.args",
    ]);
    expect(command).toContain("-Xmx1024m");
    expect(command).toContain("-XX:ActiveProcessorCount=1");
    expect(command.slice(-3)).toEqual([
      "s3://acme-code/wordcount.py",
      "s3://acme-data/books",
      "s3://acme-data/counts",
    ]);
  });

  it("names the main class of a jar", () => {
    const { command } = plan(pi()).coordinator.driver;
    expect(command.slice(-3)).toEqual(["--class", "com.example.Pi", "local:///opt/spark/examples/pi.jar"]);
  });

  it("hands every argument to the application as it was written, whatever it holds", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.string(), fc.constantFrom("$(POD_IP)", "$$", "$HOME", "--master", "a b", '"'))),
        (given) => {
          const { command } = plan(wordcount({ arguments: given })).coordinator.driver;
          expect(command.map(kubelet).slice(command.length - given.length)).toEqual(given);
        },
      ),
    );
  });

  it("passes a job's own JVM options on, and refuses those that the plan computes", () => {
    const { command } = plan(
      wordcount({ conf: { "spark.driver.extraJavaOptions": "-Dlevel=3 -Dname='two words'" } }),
    ).coordinator.driver;
    expect(command).toContain("-Dname=two words");
    const result = planRun(
      wordcount({ conf: { "spark.executor.extraJavaOptions": "-Xmx9g" } }),
      environment(),
      identity,
    );
    expect(result.ok ? undefined : result.refusal.code).toBe("reserved-option");
  });
});

describe("the worker's command", () => {
  it("offers one executor exactly what the plan gives it", () => {
    const { command, memory } = plan(
      wordcount({ workers: { count: 3, cores: 2, memory: "2Gi", offHeap: "512Mi" } }),
    ).workers.container;
    const value = (flag: string): string | undefined => command[command.indexOf(flag) + 1];
    expect(value("--cores")).toBe("2");
    expect(value("--memory")).toBe(`${2048 + 819 + 512}M`);
    expect(memory).toBeGreaterThan(2048 + 819 + 512);
    expect(command.at(-1)).toBe("spark://coordinator:7077");
  });

  it("has the limits on its daemon that its share of the memory needs", () => {
    const { command, memoryParts } = plan(wordcount()).workers.container;
    const heap = memoryParts.find(({ what }) => what === "worker daemon heap")?.mib;
    expect(command).toContain(`-Xmx${heap ?? 0}m`);
  });
});

describe("Spark's settings", () => {
  it("fix sizes, ports and the number of executors", () => {
    const set = properties(plan(wordcount({ workers: { count: 3, cores: 2, memory: "2Gi" } })));
    expect(Object.fromEntries(set)).toMatchObject({
      "spark.cores.max": "6",
      "spark.executor.cores": "2",
      "spark.executor.memory": "2048m",
      "spark.driver.port": "7078",
      "spark.blockManager.port": "7079",
      "spark.ui.port": "4040",
      "spark.port.maxRetries": "0",
    });
  });

  it("authenticate and encrypt every connection, in every role", () => {
    for (const role of ["master", "worker", "driver"]) {
      expect(Object.fromEntries(properties(plan(wordcount()), role))).toMatchObject({
        "spark.authenticate": "true",
        "spark.network.crypto.enabled": "true",
        "spark.network.crypto.saslFallback": "false",
      });
    }
  });

  it("sign with the provider of the version's own SDK", () => {
    const provider = (version: string) =>
      properties(plan(wordcount({ version }))).get("spark.hadoop.fs.s3a.aws.credentials.provider");
    expect(provider("4.0.1")).toBe(
      "software.amazon.awssdk.auth.credentials.EnvironmentVariableCredentialsProvider",
    );
    expect(provider("3.5.8")).toBe("com.amazonaws.auth.EnvironmentVariableCredentialsProvider");
  });

  it("let a job choose another committer, but not another endpoint", () => {
    expect(
      properties(plan(wordcount({ conf: { "spark.hadoop.fs.s3a.committer.name": "directory" } }))).get(
        "spark.hadoop.fs.s3a.committer.name",
      ),
    ).toBe("directory");
    expect(reservedProperty("spark.hadoop.fs.s3a.endpoint")).toContain("S3 settings");
  });

  it("say where the event log goes when the job wants one", () => {
    expect(properties(plan(wordcount())).has("spark.eventLog.dir")).toBe(false);
    const set = properties(plan(wordcount({ output: { eventLog: "s3://acme-data/events" } })));
    expect(set.get("spark.eventLog.dir")).toBe("s3://acme-data/events");
  });

  it("refuse a variable that would change identity or flags", () => {
    for (const environmentOf of [
      { AWS_ACCESS_KEY_ID: "x" },
      { JAVA_TOOL_OPTIONS: "-Xmx9g" },
      { SPARK_HOME: "/x" },
    ]) {
      const result = planRun(wordcount({ environment: environmentOf }), environment(), identity);
      expect(result.ok ? undefined : result.refusal.code).toBe("reserved-variable");
    }
  });
});

describe("a properties file", () => {
  /** Reads one line back by the rules of java.util.Properties. */
  const read = (line: string): [string, string] => {
    const split = /(?<!\\)=/.exec(line)?.index ?? line.length;
    const plain = (text: string): string =>
      text.replaceAll(/\\(u[0-9a-f]{4}|.)/g, (_, escape: string) =>
        escape.length === 5
          ? String.fromCharCode(Number.parseInt(escape.slice(1), 16))
          : ({ n: "\n", r: "\r", t: "\t" }[escape] ?? escape),
      );
    return [plain(line.slice(0, split)), plain(line.slice(split + 1))];
  };

  it("gives every value back as it was", () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.stringMatching(/^spark\.[\w.-]{1,20}$/),
          fc.oneof(fc.string(), fc.constantFrom("a\\b", " x ", " ", "  ", "a\nb", "=:")),
        ),
        (given) => {
          const text = propertiesFile(given);
          const lines = text.split("\n").filter((line) => line !== "");
          expect(Object.fromEntries(lines.map(read))).toEqual({ ...given });
        },
      ),
    );
  });

  it("does not depend on the order of its keys", () => {
    expect(propertiesFile({ b: "1", a: "2" })).toBe(propertiesFile({ a: "2", b: "1" }));
  });
});

describe("text for the kubelet", () => {
  it("is not expanded by it", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.constantFrom("$(POD_IP)", "$$(X)", "$$$", "a$")), (text) => {
        expect(kubelet(literal(text))).toBe(text);
      }),
    );
  });
});

describe("JVM options in one text", () => {
  it("are split at spaces outside of quotes", () => {
    expect(splitOptions(`-Da=1  -Db="x y" '-Dc=z'`)).toEqual(["-Da=1", "-Db=x y", "-Dc=z"]);
    expect(splitOptions("")).toEqual([]);
  });
});
