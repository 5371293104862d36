// Boundary to the SDK's engine events, which carry all fields as optional: one of ours for each of theirs, or none.
import type { EngineEvent as SdkEvent, StepEventMetadata } from "@pulumi/pulumi/automation/index.js";
import type { EngineEvent, EngineResource } from "./types.ts";

/** Engine messages carry colour marks such as `<{%fg 1%}>`, whatever `--color` says. */
const plain = (message: string): string => message.replace(/<\{%.*?%\}>/g, "");

/** `urn:pulumi:stack::project::parentType$type::name` to kind and name. The engine's own format, stable and documented. */
export function readUrn(urn: string): { kind: string; name: string } {
  const [, , types = "", ...name] = urn.split("::");
  return { kind: types.split("$").at(-1) ?? types, name: name.join("::") };
}

const resource = ({ urn, op }: StepEventMetadata): EngineResource => ({ ...readUrn(urn), operation: op });

/** Providers and the stack itself are the engine's business; components and objects are what people see. */
const isShown = ({ kind }: { readonly kind: string }): boolean => !kind.startsWith("pulumi:");

function shown(type: "started" | "done" | "failed", metadata: StepEventMetadata): EngineEvent | undefined {
  const of = resource(metadata);
  return isShown(of) ? { type, ...of } : undefined;
}

/** Translates one event; undefined where it says nothing that we pass on. */
export function translateEvent(event: SdkEvent): EngineEvent | undefined {
  if (event.resourcePreEvent !== undefined) return shown("started", event.resourcePreEvent.metadata);
  if (event.resOutputsEvent !== undefined) return shown("done", event.resOutputsEvent.metadata);
  if (event.resOpFailedEvent !== undefined) return shown("failed", event.resOpFailedEvent.metadata);
  if (event.summaryEvent !== undefined) {
    const { durationSeconds, resourceChanges } = event.summaryEvent;
    return { type: "summary", seconds: durationSeconds, changes: numbers(resourceChanges) };
  }
  if (event.policyEvent !== undefined) {
    const { enforcementLevel, policyName, message, resourceUrn } = event.policyEvent;
    return {
      type: "policy",
      mandatory: enforcementLevel === "mandatory",
      policy: policyName,
      message: plain(message).trim(),
      ...about(resourceUrn),
    };
  }
  if (event.diagnosticEvent === undefined || event.diagnosticEvent.ephemeral === true) return undefined;
  const { message, urn } = event.diagnosticEvent;
  // The CLI also sends `debug`, which the SDK's type does not know.
  const severity: string = event.diagnosticEvent.severity;
  if (severity === "debug") return undefined;
  return {
    type: "diagnostic",
    severity: severity === "error" || severity === "warning" ? severity : "info",
    message: plain(message).trim(),
    ...about(urn),
  };
}

/** What an event is about, unless that is the engine's own business. */
function about(urn: string | undefined): {
  readonly resource?: { readonly kind: string; readonly name: string };
} {
  if (urn === undefined || urn === "") return {};
  const resource = readUrn(urn);
  return isShown(resource) ? { resource } : {};
}

/** The SDK's type allows undefined counts. */
const numbers = (map: Readonly<Record<string, number | undefined>> = {}): Record<string, number> =>
  Object.fromEntries(
    Object.entries(map).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  );
