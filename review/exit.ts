import { EXIT } from "../base/errors.ts";
import { OUTCOME_EXIT } from "../schema/outcome.ts";
import type { Review } from "./types.ts";

/** Ends the process when Ctrl-C stopped the review. */
export const STOPPED_EXIT = OUTCOME_EXIT.cancelled;

/** Exit code of a review, as --help says. */
export const exitCodeOf = ({ succeeded, refused }: Pick<Review, "succeeded" | "refused">): number => {
  if (refused) return OUTCOME_EXIT.refused;
  return succeeded ? EXIT.ok : EXIT.invalidInput;
};
