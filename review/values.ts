import {
  type Difference,
  type Json,
  type JsonRecord,
  SECRET,
  type Step,
  UNKNOWN,
} from "../simulation/types.ts";
import type { PropertyChange } from "./types.ts";

/** Values longer than this are cut to where they differ. */
const LONGEST = 60;
/** How much is kept beside the first difference. */
const CONTEXT = 12;

/** The properties of a step that differ, with their values from both sides. */
export function propertiesOf(step: Step): PropertyChange[] {
  if (step.op !== "update" && step.op !== "replace") return [];
  return step.differences.map((difference) => propertyChange(step, difference));
}

function propertyChange(step: Step, { path, kind, replaces }: Difference): PropertyChange {
  const from = kind === "add" ? undefined : valueAt(step.oldInputs, path);
  const to = kind === "delete" ? undefined : valueAt(step.newInputs, path);
  const [shownFrom, shownTo] = showBoth(from, to);
  return {
    path,
    from: kind === "add" ? undefined : shownFrom,
    to: kind === "delete" ? undefined : shownTo,
    replaces,
  };
}

/** Splits `a.b[0]["x.y"]`, the form in which Pulumi writes paths of properties. */
export function pathSteps(path: string): (string | number)[] {
  return [...path.matchAll(/\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|([^.[\]]+)/g)].map(
    ([, quoted, index, name]) => {
      if (quoted !== undefined) return quoted.replace(/\\(.)/g, "$1");
      return index === undefined ? (name ?? "") : Number(index);
    },
  );
}

const isList = (value: Json): value is readonly Json[] => Array.isArray(value);

const isRecord = (value: Json): value is JsonRecord =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The value at a path; undefined where there is none, or where it is in a part that is secret or not known. */
export function valueAt(inputs: JsonRecord | undefined, path: string): Json | undefined {
  let value: Json | undefined = inputs;
  for (const step of pathSteps(path)) {
    if (value === undefined || value === SECRET || value === UNKNOWN) return value;
    if (typeof step === "number") value = isList(value) ? value[step] : undefined;
    else value = isRecord(value) ? value[step] : undefined;
  }
  return value;
}

/** Both values as text; where one is long, only the part around the difference. */
function showBoth(from: Json | undefined, to: Json | undefined): [string, string] {
  const [left, right] = [plainText(from), plainText(to)];
  if (left.length <= LONGEST && right.length <= LONGEST) return [left, right];
  let start = 0;
  while (start < left.length && start < right.length && left[start] === right[start]) start++;
  let end = 0;
  const most = Math.min(left.length, right.length) - start;
  while (end < most && left.at(-1 - end) === right.at(-1 - end)) end++;
  return [excerpt(left, start, end), excerpt(right, start, end)];
}

function excerpt(text: string, start: number, end: number): string {
  const first = Math.max(0, start - CONTEXT);
  const last = Math.min(text.length, text.length - end + CONTEXT);
  const middle = text.slice(first, last);
  const short = middle.length <= LONGEST ? middle : `${middle.slice(0, LONGEST - 1)}…`;
  return `${first > 0 ? "…" : ""}${short}${last < text.length && !short.endsWith("…") ? "…" : ""}`;
}

/** A value on one line. */
function plainText(value: Json | undefined): string {
  if (value === undefined) return "nothing";
  if (value === SECRET) return "a secret";
  if (value === UNKNOWN) return "known once applied";
  if (typeof value !== "string")
    return JSON.stringify(value).replaceAll(`"${UNKNOWN}"`, "(known once applied)");
  const decoded = decodedBase64(value);
  const text = decoded ?? value;
  // Quotes only where a value would otherwise not be seen, or be taken for another.
  return text === "" || text.trim() !== text ? JSON.stringify(text) : text.replace(/\s*\n\s*/g, " ");
}

/** What a long text says that is base64, such as user data of a launch template; undefined where it is none. */
function decodedBase64(text: string): string | undefined {
  if (text.length < 40 || text.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return undefined;
  const decoded = Buffer.from(text, "base64").toString("utf8");
  // Whatever is no text has a replacement character or control characters in it.
  return /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffd]/.test(decoded) ? undefined : decoded;
}
