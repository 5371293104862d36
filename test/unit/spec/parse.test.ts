import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseSpec, problemLine } from "../../../jobs/spec/index.ts";

const valid = `# Counts words.
apiVersion: mayfly.dev/v1
name: wordcount
tenant: acme
engine: spark
version: "4.0"
application:
  kind: python
  file: s3://acme-code/wordcount.py
workers:
  count: 2
  memory: 2Gi
`;

/** `line:column path: message` of every problem. */
const problems = (text: string): string[] => {
  const result = parseSpec(text);
  return result.ok
    ? []
    : result.problems.map((problem) => problemLine("job.yaml", problem).replace("job.yaml:", ""));
};

/** The valid spec with one piece of text replaced. */
const changed = (from: string, to: string): string => {
  expect(valid).toContain(from);
  return valid.replace(from, to);
};

describe("a valid spec", () => {
  it("is read from YAML with all defaults filled in", () => {
    const result = parseSpec(valid);
    expect(result.ok && result.spec).toMatchObject({
      name: "wordcount",
      driver: { cores: 1, memory: "1Gi" },
      workers: { count: 2, cores: 1, memory: "2Gi" },
      deadline: "1h",
      retries: { user: 0, infrastructure: 2 },
    });
  });

  it("is the same from JSON, and with a byte order mark or Windows line ends", () => {
    const spec = parseSpec(valid);
    const json = JSON.stringify({
      apiVersion: "mayfly.dev/v1",
      name: "wordcount",
      tenant: "acme",
      engine: "spark",
      version: "4.0",
      application: { kind: "python", file: "s3://acme-code/wordcount.py" },
      workers: { count: 2, memory: "2Gi" },
    });
    expect(parseSpec(json)).toEqual(spec);
    expect(parseSpec(JSON.stringify(JSON.parse(json), undefined, "\t"))).toEqual(spec);
    expect(parseSpec(`\uFEFF${valid}`)).toEqual(spec);
    expect(parseSpec(valid.replaceAll("\n", "\r\n"))).toEqual(spec);
  });
});

describe("a spec with mistakes", () => {
  it("is told all of them at once, in the order of the file", () => {
    const text = `apiVersion: mayfly.dev/v1
name: WordCount
engine: sprk
version: 4.0
application:
  kind: python
  file: https://acme.example/x.py
workers:
  count: 0
  memory: 4GB
  memmory: 2Gi
deadline: 0s
`;
    expect(problems(text)).toEqual([
      "1:1 tenant: is missing: The tenant that the job belongs to; must be known to the environment.",
      '2:7 name: must be lower-case letters, digits and dashes, begin with a letter and end with a letter or digit (is "WordCount")',
      '3:9 engine: must be spark or flink (is "sprk"); did you mean spark?',
      "4:10 version: must be text: put the version in quotes (is 4.0)",
      '7:9 application.file: must be s3://bucket/key or a file in the image such as local:///opt/spark/app.py (is "https://acme.example/x.py")',
      "9:10 workers.count: must be at least 1 (is 0)",
      '10:11 workers.memory: must be a positive quantity with the unit Mi, Gi or Ti, such as 512Mi or 2Gi (is "4GB")',
      "11:3 workers.memmory: unknown field; did you mean memory?",
      '12:11 deadline: must be a positive duration with its unit, such as 90s, 15m, 1h30m or PT15M (is "0s")',
    ]);
  });

  it.each([
    ["count: 2", "count: -2", "11:10 workers.count: must be at least 1 (is -2)"],
    ["count: 2", "count: 1.5", "11:10 workers.count: must be a whole number (is 1.5)"],
    ["count: 2", 'count: "2"', '11:10 workers.count: must be a number: leave the quotes out (is "2")'],
    ["count: 2", "count: 2000", "11:10 workers.count: must be at most 1000 (is 2000)"],
    [
      "memory: 2Gi",
      "memory: 2048",
      "12:11 workers.memory: must be a quantity with its unit in quotes or plain, such as 512Mi or 2Gi (is 2048)",
    ],
    [
      "memory: 2Gi",
      "memory: 2",
      "12:11 workers.memory: must be a quantity with its unit in quotes or plain, such as 512Mi or 2Gi (is 2)",
    ],
    [
      "memory: 2Gi",
      "memory: -2Gi",
      '12:11 workers.memory: must be a positive quantity with the unit Mi, Gi or Ti, such as 512Mi or 2Gi (is "-2Gi")',
    ],
    [
      "memory: 2Gi",
      "memory: 0Gi",
      '12:11 workers.memory: must be a positive quantity with the unit Mi, Gi or Ti, such as 512Mi or 2Gi (is "0Gi")',
    ],
    [
      "memory: 2Gi",
      "memory: 256Mi",
      "12:11 workers.memory is 256Mi; Spark does not start with less than 512Mi. Ask for at least 512Mi.",
    ],
    [
      "kind: python",
      "kind: pyton",
      '8:9 application.kind: must be python or jar (is "pyton"); did you mean python?',
    ],
    ["  file:", "  flie:", "8:1"],
    ["engine: spark\n", "", "2:1 engine: is missing: write one of spark, flink"],
    [
      "workers:\n  count: 2\n  memory: 2Gi\n",
      "workers:\n",
      "10:1 workers: is empty: write a group of fields, or leave the field out",
    ],
    ["name: wordcount", "name: wordcount\nname: again", "4:1 the field name is there twice"],
  ])("%j written as %j is found where it stands", (from, to, expected) => {
    const found = problems(changed(from, to));
    if (expected === "8:1") {
      expect(found).toEqual([
        "7:1 application.file: is missing: The script to run.",
        "9:3 application.flie: unknown field; did you mean file?",
      ]);
    } else expect(found).toEqual([expected]);
  });

  it("is told of a name of 300 characters without being shown all of it", () => {
    const [problem = "", ...rest] = problems(changed("wordcount\ntenant", `${"w".repeat(300)}\ntenant`));
    expect(rest).toEqual([]);
    expect(problem).toContain("must have at most 40 characters");
    expect(problem.length).toBeLessThan(150);
  });

  it("is never shown values that may be secrets", () => {
    const found = problems(
      `${valid}environment: { TOKEN: 12345 }\nsecrets: [{ env: hunter2, secret: x, key: y }]\n`,
    );
    expect(found).toHaveLength(2);
    expect(found.join()).not.toMatch(/12345|hunter2/);
  });

  it("is told what conf and environment may not set, each in its line, before any environment is asked", () => {
    expect(
      problems(
        `${valid}conf:\n  spark.executor.memory: 4g\n  spark.master: local\nenvironment:\n  AWS_REGION: x\n`,
      ),
    ).toEqual([
      '14:26 conf.spark.executor.memory: conf sets "spark.executor.memory", which Mayfly computes. Instead of spark.executor.memory use workers.memory.',
      '15:17 conf.spark.master: conf sets "spark.master", which Mayfly computes. Leave out spark.master, it is the same for every job.',
      `17:15 environment.AWS_REGION: The job sets "AWS_REGION", which Mayfly or Spark sets. Use another name; Spark's own settings belong into conf, S3 access comes from the tenant's identity.`,
    ]);
  });
});

describe("a file that is no spec", () => {
  it.each([
    ["", "1:1 the file is empty; a document begins with apiVersion: mayfly.dev/v1"],
    ["# nothing\n", "1:1 the file is empty; a document begins with apiVersion: mayfly.dev/v1"],
    ["null\n", "1:1 the file is empty; a document begins with apiVersion: mayfly.dev/v1"],
    ["- a\n- b\n", "1:1 must be a group of fields that begins with apiVersion: mayfly.dev/v1"],
    ["just text\n", "1:1 must be a group of fields that begins with apiVersion: mayfly.dev/v1"],
    [
      '{"name": "mayfly", "version": "1"}',
      "1:1 none of its fields is known; a document begins with apiVersion: mayfly.dev/v1",
    ],
  ])("%j is called what it is", (text, expected) => {
    expect(problems(text)).toEqual([expected]);
  });

  it("with a syntax error is told its line, and nothing of fields that may not be what was meant", () => {
    expect(problems("apiVersion: mayfly.dev/v1\nname: [a,\nworkers: }\n")).toEqual([
      "3:1 YAML: Flow sequence in block collection must be sufficiently indented and end with a ]",
      '3:10 YAML: Unexpected flow-map-end token in YAML stream: "}"',
    ]);
    expect(problems("name: x\n\ttenant: y\n")).toEqual(["2:1 YAML: Tabs are not allowed as indentation"]);
  });

  it("that holds two documents is told to hold one", () => {
    expect(problems(`${valid}---\n${valid}`)).toEqual([
      "13:1 the file holds 2 documents (separated by ---); write one document per file",
    ]);
  });

  it("that would explode by aliases is refused", () => {
    const bomb = Array.from({ length: 12 }, (_, level) =>
      level === 0
        ? "l0: &l0 [x, x, x, x, x, x, x, x, x]"
        : `l${level}: &l${level} [${Array(9)
            .fill(`*l${level - 1}`)
            .join(", ")}]`,
    ).join("\n");
    expect(problems(`${bomb}\napiVersion: *l11\n`).join()).toMatch(/alias/i);
  });

  it("gives problems, never an exception, whatever it holds", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.string().map((text) => `${valid}${text}`),
        ),
        (text) => {
          const result = parseSpec(text);
          if (result.ok) return;
          expect(result.problems.length).toBeGreaterThan(0);
          for (const { line, column } of result.problems) {
            expect(line).toBeGreaterThan(0);
            expect(column).toBeGreaterThan(0);
          }
        },
      ),
    );
  });
});
