import { equal, isList, isRecord, type Json, type JsonRecord, type Step } from "./json.ts";
import { hasUnknown } from "./wire.ts";

/** One property that a new set of inputs changes. */
export interface Change {
  readonly path: readonly Step[];
  readonly kind: "add" | "delete" | "update";
}

/** The changes from `before` to `after`, field by field; lists are compared item by item, by index. */
export function changes(before: JsonRecord, after: JsonRecord): readonly Change[] {
  const found: Change[] = [];
  const compare = (old: Json | undefined, next: Json | undefined, path: readonly Step[]): void => {
    if (old === undefined && next === undefined) return;
    if (old === undefined) found.push({ path, kind: "add" });
    else if (next === undefined) found.push({ path, kind: "delete" });
    else if (isRecord(old) && isRecord(next)) {
      for (const key of new Set([...Object.keys(old), ...Object.keys(next)]))
        compare(old[key], next[key], [...path, key]);
    } else if (isList(old) && isList(next)) {
      for (let index = 0; index < Math.max(old.length, next.length); index++)
        compare(old[index], next[index], [...path, index]);
    } else if (hasUnknown(next) || !equal(old, next)) found.push({ path, kind: "update" });
  };
  compare(before, after, []);
  return found;
}

/** A path as Pulumi writes it: `metadata.labels["app.kubernetes.io/name"]`, `spec.containers[0].image`. */
export function formatPath(path: readonly Step[]): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else if (/[."[\]]/.test(step)) text += `["${step.replaceAll('"', '\\"')}"]`;
    else text += text === "" ? step : `.${step}`;
  }
  return text;
}

/** The opposite of {@link formatPath}; also takes `["key"]` at the start and `*` for any index. */
export function parsePath(text: string): readonly Step[] {
  const steps: Step[] = [];
  for (const match of text.matchAll(/\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|\[(\*)\]|([^.[\]]+)/g)) {
    const [, quoted, index, any, plain] = match;
    if (index !== undefined) steps.push(Number(index));
    else steps.push(quoted?.replaceAll('\\"', '"') ?? any ?? plain ?? "");
  }
  return steps;
}

/** Whether `path` is `prefix` or lies under it. */
export const isWithin = (path: readonly Step[], prefix: readonly Step[]): boolean =>
  prefix.length <= path.length && prefix.every((step, index) => step === "*" || step === path[index]);
