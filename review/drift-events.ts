// Boundary: the engine's events are JSON lines, described in sdk/go/common/apitype/events.go of pulumi/pulumi.
import { z } from "zod";
import type { JsonRecord } from "../simulation/types.ts";
import type { Refreshed } from "./drift.ts";

const Properties = z.record(z.string(), z.unknown());
const State = z.looseObject({
  id: z.string().optional(),
  custom: z.boolean().optional(),
  external: z.boolean().optional(),
  inputs: Properties.nullish(),
  outputs: z
    .looseObject({
      metadata: z.looseObject({ uid: z.string().optional() }).optional(),
      contract: z.looseObject({ clusterId: z.string().optional() }).optional(),
    })
    .nullish(),
});
type State = z.infer<typeof State>;
const Event = z.looseObject({
  // A refresh says in its second event for a resource what it found.
  resOutputsEvent: z
    .looseObject({
      metadata: z.looseObject({
        op: z.string(),
        urn: z.string(),
        type: z.string(),
        old: State.nullish(),
        new: State.nullish(),
      }),
    })
    .optional(),
  diagnosticEvent: z.looseObject({ message: z.string(), severity: z.string() }).optional(),
});

/** What a refresh told. */
export interface RefreshEvents {
  readonly refreshed: readonly Refreshed[];
  readonly errors: readonly string[];
  /** Identities of the clusters of the last update and of now, where they differ: UIDs of namespace kube-system. */
  readonly moved: { readonly before: string; readonly now: string } | undefined;
}

/** What stacks/environment/cluster-identity.ts reads. */
const IDENTITY = "kubernetes:core/v1:Namespace::existing-kube-system";

/** Reads the event log of a refresh. */
export function readRefresh(log: string): RefreshEvents {
  const refreshed: Refreshed[] = [];
  const errors: string[] = [];
  let before: string | undefined;
  let now: string | undefined;
  for (const line of log.split("\n")) {
    if (line === "" || line.includes('"severity":"debug"')) continue;
    const { resOutputsEvent, diagnosticEvent } = Event.parse(JSON.parse(line));
    if (diagnosticEvent?.severity === "error") errors.push(diagnosticEvent.message.trim());
    if (resOutputsEvent === undefined) continue;
    const { op, urn, type, old, new: found } = resOutputsEvent.metadata;
    // Not the namespace's own old state: a refused update has read it from the new cluster already.
    before ??= old?.outputs?.contract?.clusterId;
    if (urn.endsWith(IDENTITY)) now = found?.outputs?.metadata?.uid;
    refreshed.push({
      id: old?.id ?? "",
      external: old?.external ?? false,
      step: {
        urn,
        type,
        op: op === "delete" || op === "update" ? op : "same",
        name: urn.split("::").slice(3).join("::"),
        parent: undefined,
        custom: old?.custom ?? false,
        protect: false,
        provider: undefined,
        replaceKeys: [],
        deleteBeforeReplace: false,
        differences: [],
        oldInputs: inputsOf(old),
        newInputs: inputsOf(found),
        outputs: undefined,
      },
    });
  }
  const moved = before === undefined || now === undefined || before === now ? undefined : { before, now };
  return { refreshed, errors, moved };
}

/** Parsed from JSON, so it is JSON. */
const inputsOf = (state: State | null | undefined): JsonRecord | undefined =>
  (state?.inputs ?? undefined) as JsonRecord | undefined;
