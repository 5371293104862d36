import { UserError } from "../../base/errors.ts";
import { JobSpec } from "../../schema/job.ts";
import { Plan } from "../../schema/plan.ts";
import { checkSpec } from "../plan/check.ts";
import { type Form, type Parsed, parseDocument } from "./parse.ts";
import { type Problem, problemLine } from "./problem.ts";
import { readText } from "./read.ts";

/** Fields that Flink alone has. */
const ONLY_FLINK = ["kind", "jobManager", "taskManagers", "parallelism", "state", "checkpoints", "restart"];
/** Those of them that a stream alone has. */
const ONLY_STREAM = ["state", "checkpoints", "from", "upgrade", "maxParallelism"];

/** Which engine, and for Flink which kind, a document is most likely meant to be: by its other fields. */
function assume(document: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> | undefined {
  const known = document["engine"] === "spark" || document["engine"] === "flink";
  const engine = known
    ? document["engine"]
    : ONLY_FLINK.some((field) => field in document)
      ? "flink"
      : "spark";
  if (engine === "spark") return known ? undefined : { ...document, engine };
  if (known && (document["kind"] === "batch" || document["kind"] === "stream")) return undefined;
  const stream = document["kind"] === "stream" || ONLY_STREAM.some((field) => field in document);
  return { ...document, engine, kind: stream ? "stream" : "batch" };
}

const SPEC: Form<JobSpec> = {
  schema: JobSpec,
  fields: ["apiVersion", "tenant", "engine", "application", "workers", "taskManagers"],
  beginning: "apiVersion: mayfly.dev/v1",
  assume,
};

const PLAN: Form<Plan> = {
  schema: Plan,
  fields: ["apiVersion", "run", "namespace", "coordinator", "workers"],
  beginning: "apiVersion: mayfly.dev/plan/v1",
};

/** A valid spec, or every problem of its text. */
export type SpecResult =
  | { readonly ok: true; readonly spec: JobSpec }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/**
 * Checks the text of a job spec: its syntax, its fields, and what can be said without an environment, such as settings that Mayfly
 * computes. Pure.
 */
export function parseSpec(text: string): SpecResult {
  const parsed = parseDocument(text, SPEC);
  if (!parsed.ok) return parsed;
  const problems = checkSpec(parsed.value).map(({ message, hint, path }) => ({
    ...parsed.place(path),
    path: path.join("."),
    message: `${message} ${hint}`,
  }));
  problems.sort((left, right) => left.line - right.line);
  return problems.length === 0 ? { ok: true, spec: parsed.value } : { ok: false, problems };
}

function invalid(kind: string, file: string, problems: readonly Problem[], hint: string): UserError {
  const [first] = problems;
  const count = problems.length === 1 ? "a problem" : `${problems.length} problems`;
  return new UserError(
    `${kind}-invalid`,
    [`${file} has ${count}:`, ...problems.map((problem) => `  ${problemLine(file, problem)}`)].join("\n"),
    { path: first === undefined ? file : `${file}:${first.line}:${first.column}`, hint },
  );
}

/**
 * Reads and checks a job spec.
 * @throws UserError `spec-invalid` with all problems, each with file, line, column and path; or why the file can't be read
 * (`spec-not-found`, …).
 */
export async function loadSpec(file: string): Promise<JobSpec> {
  const result = parseSpec(await readText(file, "spec"));
  if (result.ok) return result.spec;
  throw invalid(
    "spec",
    file,
    result.problems,
    "docs/job-spec.md explains every field; with `mayfly schema` editors check while you type.",
  );
}

/**
 * Reads and checks a plan that `mayfly plan --out` wrote.
 * @throws UserError `plan-invalid`, `plan-not-found`, …
 */
export async function loadPlan(file: string): Promise<Plan> {
  const result: Parsed<Plan> = parseDocument(await readText(file, "plan"), PLAN);
  if (result.ok) return result.value;
  throw invalid("plan", file, result.problems, `Write it anew: mayfly plan job.yaml --out ${file}`);
}
