import { show } from "../json.ts";
import { parseJsonPath, query } from "./json-path.ts";
import { conditionOf, explain, failed, type Judge, pending, READY, type Verdict } from "./verdict.ts";

/** A judge made from a `pulumi.com/waitFor` annotation, or what is wrong with the annotation. */
export type WaitFor = { readonly judge: Judge } | { readonly failure: string };

const isText = (value: unknown): value is string => typeof value === "string";

function expressionsOf(annotation: string): readonly string[] | undefined {
  if (!annotation.trimStart().startsWith("[")) return [annotation];
  try {
    const parsed: unknown = JSON.parse(annotation);
    return Array.isArray(parsed) && parsed.every(isText) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function conditionJudge(expression: string): Judge {
  const [type = "", status = "True"] = expression.split(/=(.*)/s);
  return (object) => {
    const found = conditionOf(object, type);
    if (found?.status.toLowerCase() === status.toLowerCase()) return READY;
    const detail = found === undefined ? "not set yet" : `${found.status}, ${explain(found)}`;
    return pending(`waiting for condition ${type}=${status} (${detail})`);
  };
}

function jsonPathJudge(expression: string): Judge | undefined {
  // The path may itself hold `==` in a filter, so the value starts after the closing brace where there is one.
  const match = /^(\{.*\}|[^=]+?)(?:={1,2}(.*))?$/s.exec(expression);
  const path = match?.[1];
  const wanted = match?.[2];
  const selectors = path === undefined ? undefined : parseJsonPath(path);
  if (selectors === undefined) return undefined;
  return (object): Verdict => {
    const found = query(object, selectors);
    if (found.length > 1) return failed(`${expression} matches ${found.length} values, it must match one`);
    const [value] = found;
    if (value === undefined) return pending(`waiting for ${expression} (not set yet)`);
    if (wanted === undefined || show(value) === wanted.replace(/^(["'])(.*)\1$/s, "$2")) return READY;
    return pending(`waiting for ${expression} (found ${show(value)})`);
  };
}

function judgeOf(expression: string): WaitFor {
  if (expression.startsWith("condition="))
    return { judge: conditionJudge(expression.slice("condition=".length)) };
  if (!expression.startsWith("jsonpath="))
    return { failure: `expected a "jsonpath=" or "condition=" prefix, got "${expression}"` };
  const judge = jsonPathJudge(expression.slice("jsonpath=".length));
  return judge === undefined ? { failure: `not a JSONPath that a wait can use: "${expression}"` } : { judge };
}

/** Reads `condition=…`, `jsonpath=…`, or a JSON list of them that must all hold. */
export function parseWaitFor(annotation: string): WaitFor {
  const expressions = expressionsOf(annotation);
  if (expressions === undefined) return { failure: "expected a JSON list of expressions" };
  if (expressions.length === 0) return { failure: "at least one condition must be specified" };
  const judges: Judge[] = [];
  for (const expression of expressions) {
    const result = judgeOf(expression);
    if ("failure" in result) return result;
    judges.push(result.judge);
  }
  return {
    judge: (object, related) => {
      const verdicts = judges.map((judge) => judge(object, related));
      return (
        verdicts.find(({ state }) => state === "failed") ??
        verdicts.find(({ state }) => state === "pending") ??
        READY
      );
    },
  };
}
