import { uptime } from "node:os";
import type { Clock } from "./types.ts";

/**
 * The machine's own clocks. Node's `performance.now()` is CLOCK_MONOTONIC, which on Linux stands still while the machine is
 * suspended: a laptop that wakes up would take its lease for fresh. `uptime()` is CLOCK_BOOTTIME there, which goes on (libuv,
 * src/unix/linux.c; https://man7.org/linux/man-pages/man2/clock_gettime.2.html). On other systems uptime may follow the wall clock.
 */
export const systemClock: Clock = {
  monotonic: process.platform === "linux" ? () => uptime() * 1000 : () => performance.now(),
  wall: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal.aborted) {
        resolve();
        return;
      }
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, Math.max(0, ms));
      signal.addEventListener("abort", done);
    }),
};
