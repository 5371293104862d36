import type { Pool } from "../../schema/contract.ts";
import type { Labels } from "../core/labels.ts";

/** Where the platform's own pods run: the system pool of an EKS environment. */
export interface Placement {
  readonly nodeSelector: Labels;
  readonly tolerations: Pool["tolerations"];
}

/** A placement as pod specs and charts write it. */
export const placed = ({ nodeSelector, tolerations }: Placement) => ({
  nodeSelector: { ...nodeSelector },
  tolerations: tolerations.map((toleration) => ({ ...toleration })),
});
