// The nodes of the lab's cluster, while a test counts on which there are: two files of tests run at a time.
import { withLock } from "../../lab/host/lock.ts";

/** Waits until no other test adds nodes, or counts on there being no others. @returns Lets the next one go on. */
export async function holdNodes(): Promise<() => void> {
  const held = Promise.withResolvers<undefined>();
  const done = Promise.withResolvers<undefined>();
  void withLock(
    "test-nodes",
    () => undefined,
    async () => {
      held.resolve(undefined);
      await done.promise;
    },
  ).catch(held.reject);
  await held.promise;
  return () => {
    done.resolve(undefined);
  };
}
