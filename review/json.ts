import type { Review } from "./types.ts";

/** Version of the document that `--json` prints; a change that breaks readers gets a new one. */
const REVIEW_VERSION = "mayfly.dev/review/v1";

/** A review as one JSON document: {@link Review}, and its version. */
export const renderJson = (review: Review, indent?: number): string =>
  `${JSON.stringify({ apiVersion: REVIEW_VERSION, ...review }, undefined, indent)}\n`;
