import { EXIT, UserError } from "../../base/errors.ts";
import { DOES_NOT_FIT_EXIT } from "../../schema/outcome.ts";

/** Why no plan could be made. */
export interface Refusal {
  /** Stable kebab-case identifier. Codes that begin with `does-not-fit-` are about size. */
  readonly code: string;
  /** One sentence. */
  readonly message: string;
  /** The sum that shows why, one line each; empty where nothing was counted. */
  readonly arithmetic: readonly string[];
  /** Place in the job spec, such as `workers.memory`. */
  readonly path: string;
  /** What to do. */
  readonly hint: string;
}

/** Carries a {@link Refusal} from the step that found it to `planRun`; never leaves this folder. */
export class Refused extends Error {
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(refusal.message);
    this.refusal = refusal;
  }
}

/** Ends planning. */
export function refuse(refusal: Omit<Refusal, "arithmetic"> & Partial<Pick<Refusal, "arithmetic">>): never {
  throw new Refused({ arithmetic: [], ...refusal });
}

/** The refusal as the command line shows it: what does not fit ends with its own code, the rest is invalid input. */
export function refusalError(refusal: Refusal): UserError {
  return new UserError(refusal.code, [refusal.message, ...refusal.arithmetic].join("\n"), {
    path: refusal.path,
    hint: refusal.hint,
    exitCode: refusal.code.startsWith("does-not-fit-") ? DOES_NOT_FIT_EXIT : EXIT.invalidInput,
  });
}
