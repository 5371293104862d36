/**
 * A signal that aborts as soon as one of `signals` does, with its reason. In place of AbortSignal.any, which in Node.js 24.16 and later can
 * lose an abort when garbage is collected (https://github.com/nodejs/node/issues/65995): a watch that went on for ever kept commands from
 * ending. Listens to the sources until one of them has aborted: for sources that live no longer than what is done with it, or one that
 * is aborted in the end.
 */
export function anySignal(signals: readonly AbortSignal[]): AbortSignal {
  const controller = new AbortController();
  const already = signals.find(({ aborted }) => aborted);
  if (already !== undefined) {
    controller.abort(already.reason);
    return controller.signal;
  }
  const listeners = signals.map((source) => {
    const onAbort = (): void => {
      for (const { of, does } of listeners) of.removeEventListener("abort", does);
      controller.abort(source.reason);
    };
    return { of: source, does: onAbort };
  });
  for (const { of, does } of listeners) of.addEventListener("abort", does);
  return controller.signal;
}
