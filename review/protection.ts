/** What the engine said about protected resources, apart from other errors. */
export interface ProtectionErrors {
  /** Resources that it refuses to delete or replace. */
  readonly urns: readonly string[];
  /** All other errors. */
  readonly others: readonly string[];
}

/** The engine's two sentences: pkg/resource/deploy/step_generator.go in pulumi/pulumi. */
const REFUSAL =
  /resource "(urn:[^"]+)"\s+(?:cannot be deleted\s+because it is protected|as it is currently marked for protection)/;

/** What ends each operation that failed, beside its reasons. */
const EPILOGUE = /^(preview|update) failed$/;

/**
 * Tells refusals by `protect` from other errors: a reviewer reads the former by resource, not sentence by sentence.
 * @param explained Whether something else than these errors, such as a broken policy, says already why it failed.
 */
export function protectionErrors(errors: readonly string[], explained = false): ProtectionErrors {
  const urns = errors.flatMap((message) => REFUSAL.exec(message)?.[1] ?? []);
  const others = errors.filter((message) => !REFUSAL.test(message) && !EPILOGUE.test(message));
  // Alone it is better than nothing.
  return { urns, others: urns.length === 0 && others.length === 0 && !explained ? errors : others };
}
