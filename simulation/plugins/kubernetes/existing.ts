import { isRecord, type JsonRecord } from "../../json.ts";
import { digest, uuid } from "../identity.ts";

/** Reported by every node that is looked up: an m-sized machine, so that programs that read it can go on. */
const NODE_STATUS: JsonRecord = {
  allocatable: {
    cpu: "7910m",
    memory: "29Gi",
    "ephemeral-storage": "90Gi",
    pods: "58",
  },
  capacity: { cpu: "8", memory: "32Gi", "ephemeral-storage": "100Gi", pods: "58" },
  nodeInfo: { kubeletVersion: "v1.33.0-simulated" },
};

/**
 * What the API server adds to an object, or answers of one that is only looked up.
 *
 * @param id `namespace/name` or `name`.
 */
export function served(object: JsonRecord, id: string, kind: string): JsonRecord {
  const [name = "", namespace] = id.split("/").reverse();
  const metadata = object["metadata"];
  return {
    ...object,
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(isRecord(metadata) ? metadata : {}),
      uid: uuid("kubernetes", kind, id),
      creationTimestamp: "2026-01-01T00:00:00Z",
      resourceVersion: String(Number.parseInt(digest(6, kind, id), 16)),
    },
    ...statusOf(kind),
  };
}

function statusOf(kind: string): JsonRecord {
  switch (kind) {
    case "Node":
      return { status: NODE_STATUS };
    case "Namespace":
      return { status: { phase: "Active" } };
    default:
      return {};
  }
}
