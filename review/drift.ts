import { isList, isRecord } from "../simulation/json.ts";
import type { Difference, Json, JsonRecord, Step } from "../simulation/types.ts";
import { kindOf } from "./kinds.ts";
import type { PropertyChange } from "./types.ts";
import { propertiesOf } from "./values.ts";
import { plural } from "./words.ts";

/** One object that is not as the last update left it. */
export interface Drift {
  readonly urn: string;
  /** As a program names the class: `kubernetes.core.Namespace`. */
  readonly kind: string;
  /** The name in the program. */
  readonly name: string;
  /** The name where it lives, such as `tenant-acme` or an ARN. */
  readonly id: string;
  readonly change: "changed" | "gone";
  /** Property by property: `from` is what the program wants, `to` what is there. */
  readonly properties: readonly Omit<PropertyChange, "replaces">[];
}

/** What has changed outside of Pulumi since the last update of a stack. */
export interface DriftReport {
  readonly stack: string;
  /** How many objects were looked at. */
  readonly objects: number;
  readonly drifts: readonly Drift[];
}

/** A resource as a refresh found it: op `update` where it differs, `delete` where it is gone. */
export interface Refreshed {
  readonly step: Step;
  readonly id: string;
  /** Only read by the program, and somebody else's: whatever changes there is no drift. */
  readonly external: boolean;
}

/**
 * The drift that a refresh found. Looked at are properties that the program sets; what others add to an object is theirs, as
 * server-side apply has it.
 */
export function driftOf(stack: string, refreshed: readonly Refreshed[]): DriftReport {
  const own = refreshed.filter(
    ({ step, external }) => step.custom && !external && !step.type.startsWith("pulumi:"),
  );
  return {
    stack,
    objects: own.length,
    drifts: own.flatMap(one).sort((a, b) => (a.urn < b.urn ? -1 : 1)),
  };
}

function one({ step, id }: Refreshed): Drift[] {
  const { urn, name, type } = step;
  const drift = { urn, name, id, kind: kindOf(type) };
  if (step.op === "delete") return [{ ...drift, change: "gone", properties: [] }];
  // A property that a refresh knows of by its outputs only is one that the program never set.
  const properties = propertiesOf({
    ...step,
    op: "update",
    differences: differencesOf(step.oldInputs ?? {}, step.newInputs ?? {}),
  }).map(({ path, from, to }) => ({ path, from, to }));
  return properties.length === 0 ? [] : [{ ...drift, change: "changed", properties }];
}

/** What differs between the inputs before and after, down to single values; a list of another length differs as a whole. */
function differencesOf(before: JsonRecord, after: JsonRecord): Difference[] {
  const found: Difference[] = [];
  const compare = (old: Json | undefined, now: Json | undefined, path: string): void => {
    if (old === undefined && now === undefined) return;
    const replaces = false;
    if (old === undefined) found.push({ path, kind: "add", replaces });
    else if (now === undefined) found.push({ path, kind: "delete", replaces });
    else if (isRecord(old) && isRecord(now)) {
      for (const key of new Set([...Object.keys(old), ...Object.keys(now)]))
        compare(old[key], now[key], join(path, key));
    } else if (isList(old) && isList(now) && old.length === now.length) {
      for (const [index, item] of old.entries()) compare(item, now[index], `${path}[${index}]`);
    } else if (JSON.stringify(old) !== JSON.stringify(now)) found.push({ path, kind: "update", replaces });
  };
  compare(before, after, "");
  return found;
}

const join = (path: string, key: string): string => {
  if (/[.[\]"]/.test(key)) return `${path}["${key.replaceAll('"', '\\"')}"]`;
  return path === "" ? key : `${path}.${key}`;
};

/** The report as text, without a line break at its end. */
export function renderDrift({ stack, objects, drifts }: DriftReport): string {
  if (drifts.length === 0)
    return `No drift: ${plural(objects, "object")} of ${stack} as the last update left ${objects === 1 ? "it" : "them"}.`;
  return [
    `Drift of ${stack}: ${drifts.length} of ${plural(objects, "object")} changed outside of Pulumi.`,
    ...drifts.flatMap(({ kind, name, id, change, properties }) => [
      "",
      `  ${kind} ${name} (${id})${change === "gone" ? " is gone" : ""}`,
      ...properties.map(
        ({ path, from, to }) => `    ${path}: ${from ?? "(not set)"} -> ${to ?? "(not set)"}`,
      ),
    ]),
    "",
    `To take it back: ${force(drifts)}pulumi up -s ${stack} --refresh`,
    "To keep it: change the config or the program to say the same.",
  ].join("\n");
}

/**
 * Whoever changes a field of a Kubernetes object owns it from then on, and an update without force stops there
 * (https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts).
 */
const force = (drifts: readonly Drift[]): string =>
  drifts.some(({ kind, change }) => change === "changed" && kind.startsWith("kubernetes."))
    ? "PULUMI_K8S_ENABLE_PATCH_FORCE=true "
    : "";
