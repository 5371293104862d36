import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { errorCode } from "./files.ts";

/**
 * Lets one `lab up` or `lab down` work at a time on this machine. The lock is a Unix socket with an abstract name: the
 * kernel frees it when its holder dies, however it dies, so there is no stale lock to clean up (unix(7)).
 * @param onWait Called once if another process holds the lock.
 */
export async function withLock<T>(name: string, onWait: () => void, work: () => Promise<T>): Promise<T> {
  const address = `\0mayfly-${name}`;
  let release = await tryLock(address);
  if (release === undefined) onWait();
  while (release === undefined) {
    await untilFreed(address);
    release = await tryLock(address);
  }
  try {
    return await work();
  } finally {
    release();
  }
}

/** Takes the lock and returns how to give it back, or undefined if another process has it. */
async function tryLock(address: string): Promise<(() => void) | undefined> {
  const waiting = new Set<Socket>();
  const server = createServer((socket) => {
    // A waiter's connection breaks when this process gives the lock back or ends: it needs no polling.
    waiting.add(socket.on("error", () => undefined).on("close", () => waiting.delete(socket)));
    socket.unref();
  });
  try {
    server.listen(address);
    await once(server, "listening");
  } catch (error) {
    if (errorCode(error) === "EADDRINUSE") return undefined;
    throw error;
  }
  server.unref();
  return () => {
    server.close();
    for (const socket of waiting) socket.destroy();
  };
}

async function untilFreed(address: string): Promise<void> {
  const socket = connect(address);
  await new Promise<void>((resolve) => {
    socket
      .on("error", () => undefined)
      .on("close", () => {
        resolve();
      });
  });
}
