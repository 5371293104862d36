// Boundary: the engine's events are JSON lines, described in sdk/go/common/apitype/events.go of pulumi/pulumi.
import { z } from "zod";
import type { Json, JsonRecord } from "./json.ts";
import { parseUrn } from "./plugins/identity.ts";
import {
  type Diagnostic,
  type Difference,
  type Op,
  type PolicyViolation,
  SECRET,
  type Step,
  UNKNOWN,
} from "./types.ts";
import { masked } from "./wire.ts";

const Properties = z.record(z.string(), z.unknown());

const State = z.looseObject({
  custom: z.boolean().optional(),
  parent: z.string().optional(),
  protect: z.boolean().optional(),
  inputs: Properties.nullish(),
  outputs: Properties.nullish(),
});

const Metadata = z.looseObject({
  op: z.string(),
  urn: z.string(),
  type: z.string(),
  old: State.nullish(),
  new: State.nullish(),
  keys: z.array(z.string()).nullish(),
  detailedDiff: z.record(z.string(), z.looseObject({ diffKind: z.string() })).nullish(),
  provider: z.string().optional(),
});

type Metadata = z.infer<typeof Metadata>;

const Event = z.looseObject({
  resourcePreEvent: z.looseObject({ metadata: Metadata }).optional(),
  resOutputsEvent: z.looseObject({ metadata: Metadata }).optional(),
  diagnosticEvent: z
    .looseObject({
      urn: z.string().optional(),
      message: z.string(),
      severity: z.string(),
      ephemeral: z.boolean().optional(),
    })
    .optional(),
  policyEvent: z
    .looseObject({
      resourceUrn: z.string().optional(),
      message: z.string(),
      policyName: z.string(),
      policyPackName: z.string(),
      enforcementLevel: z.enum(["advisory", "mandatory", "remediate", "disabled"]),
    })
    .optional(),
});

/** What one operation told, put together as it comes. */
export interface Told {
  /** By URN, in the order of their first event. */
  readonly steps: Map<string, Step>;
  readonly diagnostics: Diagnostic[];
  readonly violations: PolicyViolation[];
}

export const nothingTold = (): Told => ({ steps: new Map(), diagnostics: [], violations: [] });

/** The engine's names of steps, by ours. A replacement comes as three steps, which are put together. */
const OPS: Readonly<Record<string, Op | "part of replace">> = {
  create: "create",
  update: "update",
  delete: "delete",
  same: "same",
  replace: "replace",
  read: "read",
  refresh: "refresh",
  import: "create",
  "create-replacement": "part of replace",
  "delete-replaced": "part of replace",
  "import-replacement": "part of replace",
  "read-replacement": "part of replace",
  "read-discard": "delete",
  "discard-replaced": "part of replace",
};

/** Takes one line of the event log in. Returns the step that it told of, if any. */
export function take(told: Told, line: string): Step | undefined {
  // Two thirds of the lines, and nobody reads them.
  if (line.includes('"severity":"debug"')) return undefined;
  const event = Event.parse(JSON.parse(line));
  const { diagnosticEvent: diagnostic, policyEvent: policy } = event;
  if (diagnostic !== undefined && diagnostic.ephemeral !== true) takeDiagnostic(told, diagnostic);
  if (policy !== undefined)
    told.violations.push({
      pack: policy.policyPackName,
      policy: policy.policyName,
      level: policy.enforcementLevel,
      message: policy.message.trim(),
      urn: policy.resourceUrn === "" ? undefined : policy.resourceUrn,
    });
  const started = event.resourcePreEvent?.metadata;
  const ended = event.resOutputsEvent?.metadata;
  if (started !== undefined) return takeStep(told, started);
  if (ended !== undefined) takeOutputs(told, ended);
  return undefined;
}

function takeDiagnostic(
  told: Told,
  {
    severity,
    message,
    urn,
  }: { readonly severity: string; readonly message: string; readonly urn?: string | undefined },
): void {
  const kind = severity === "error" || severity === "warning" ? severity : "info";
  const text = message.trim();
  if (text === "") return;
  told.diagnostics.push({
    // What a program prints comes as info, with or without a mark.
    severity: kind,
    message: text,
    urn: urn === "" ? undefined : urn,
  });
}

function takeStep(told: Told, metadata: Metadata): Step | undefined {
  const op = OPS[metadata.op];
  if (op === undefined) return undefined;
  const known = told.steps.get(metadata.urn);
  if (op === "part of replace") {
    // The whole comes with `replace`; only which of its parts is the first one tells what that does not.
    if (metadata.op === "delete-replaced" && known === undefined)
      told.steps.set(metadata.urn, {
        ...stepOf("replace", metadata),
        deleteBeforeReplace: true,
        newInputs: {},
      });
    else if (known === undefined) told.steps.set(metadata.urn, stepOf("replace", metadata));
    return undefined;
  }
  const step = stepOf(op, metadata);
  const merged = known === undefined ? step : merge(known, step);
  told.steps.set(metadata.urn, merged);
  return merged;
}

/** A later event of the same resource: `replace` completes what its parts began, a refresh goes before what follows. */
function merge(known: Step, step: Step): Step {
  if (known.op === "refresh" || known.op === step.op)
    return { ...step, deleteBeforeReplace: known.deleteBeforeReplace };
  if (known.op === "replace" && step.op === "delete") return known;
  return { ...step, deleteBeforeReplace: known.deleteBeforeReplace };
}

function takeOutputs(told: Told, metadata: Metadata): void {
  const known = told.steps.get(metadata.urn);
  if (known === undefined || known.op === "delete") return;
  const outputs = clean(metadata.new?.outputs);
  if (outputs !== undefined) told.steps.set(metadata.urn, { ...known, outputs });
}

function stepOf(op: Op, metadata: Metadata): Step {
  const { urn, type, old, keys, detailedDiff } = metadata;
  const state = metadata.new ?? old;
  const parent = state?.parent ?? "";
  const provider = metadata.provider ?? "";
  return {
    urn,
    type,
    name: parseUrn(urn).name,
    parent: parent === "" ? undefined : parent,
    op,
    custom: state?.custom ?? false,
    protect: state?.protect ?? false,
    provider: provider === "" ? undefined : provider,
    replaceKeys: op === "replace" ? (keys ?? []) : [],
    deleteBeforeReplace: false,
    differences: Object.entries(detailedDiff ?? {}).map(([path, { diffKind }]) => difference(path, diffKind)),
    oldInputs: op === "create" ? undefined : clean(old?.inputs),
    newInputs: op === "delete" ? undefined : clean(metadata.new?.inputs),
    outputs: op === "delete" ? undefined : clean(metadata.new?.outputs),
  };
}

/** `add`, `add-replace` and so on. */
function difference(path: string, kind: string): Difference {
  const [what = ""] = kind.split("-");
  return {
    path,
    kind: what === "add" || what === "delete" ? what : "update",
    replaces: kind.endsWith("-replace"),
  };
}

/** The SDK's own bookkeeping in providers' inputs. */
const INTERNAL = "__internal";

function clean(properties: Readonly<Record<string, unknown>> | null | undefined): JsonRecord | undefined {
  if (properties === null || properties === undefined) return undefined;
  // Parsed from JSON, so it is JSON.
  const values = Object.entries(properties as JsonRecord).filter(([key]) => key !== INTERNAL);
  return Object.fromEntries(
    values.map(([key, value]): [string, Json] => [key, masked(value, { secret: SECRET, unknown: UNKNOWN })]),
  );
}
