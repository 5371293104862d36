import type { EngineEvent } from "../engine/index.ts";
import type { Journal } from "./journal.ts";

/** What people see of the engine's events. */
export function noteEngineEvent(event: EngineEvent, journal: Pick<Journal, "emit" | "warn">): void {
  if (event.type === "done" || event.type === "failed") {
    const operation = event.type === "failed" ? `${event.operation} failed` : event.operation;
    journal.emit({ type: "resource", operation, kind: event.kind, name: event.name });
  }
  if (event.type === "diagnostic" && event.severity === "warning") {
    const about = event.resource === undefined ? "" : `${event.resource.name}: `;
    journal.warn(about + event.message);
  }
  if (event.type === "policy") {
    const about = event.resource === undefined ? "" : `${event.resource.name}: `;
    journal.warn(`${about}rule ${event.policy}: ${event.message.replaceAll(/\s*\n\s*/g, " ")}`);
  }
}
