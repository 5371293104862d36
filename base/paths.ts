import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const xdg = (variable: string, fallback: string): string => {
  const value = process.env[variable];
  // The XDG specification tells to ignore relative paths: https://specifications.freedesktop.org/basedir-spec
  return join(value?.startsWith("/") ? value : join(homedir(), fallback), "mayfly");
};

/** Rebuildable things: binaries, images, downloads. Safe to delete. */
export const cacheDir = (): string => xdg("XDG_CACHE_HOME", ".cache");

/** Things that outlive a process: Pulumi state, passphrase, run records, the lab's data. */
export const stateDir = (): string => xdg("XDG_STATE_HOME", ".local/state");

/** The checkout this code runs from. */
export const projectDir = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");
