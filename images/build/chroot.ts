import { childEnv } from "../../base/process.ts";
import type { Report } from "../../base/progress.ts";
import { run } from "./run.ts";
import { systemPath } from "./tools.ts";

/** A command inside a root file system. */
export interface InRoot {
  readonly root: string;
  /** `uid:gid` */
  readonly user: string;
  readonly env: Readonly<Record<string, string>>;
  /** Path below /tmp/build of the inside to a folder or file outside, read-only. */
  readonly inputs: Readonly<Record<string, string>>;
  readonly command: readonly string[];
  readonly signal?: AbortSignal | undefined;
  /** Told the last line that the command printed. */
  readonly report?: Report | undefined;
}

/**
 * Sets up what a container runtime would: proc, a small dev, an empty /tmp with the inputs, loopback, a host name. All of it lives in
 * namespaces of this one process, so nothing is left mounted or running however it ends. Arguments: root, user, number of
 * inputs, pairs of name and source, command.
 */
const SETUP = `
set -eu
root=$1 user=$2 inputs=$3
shift 3
mount --make-rprivate /
ip link set lo up
hostname localhost
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=0755 tmpfs "$root/dev"
for device in null zero full random urandom; do
  : >"$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
ln -s /proc/self/fd "$root/dev/fd"
mkdir "$root/dev/shm"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mkdir "$root/tmp/build"
while [ "$inputs" -gt 0 ]; do
  target=$root/tmp/build/$1
  mkdir -p "$(dirname "$target")"
  if [ -d "$2" ]; then mkdir -p "$target"; else : >"$target"; fi
  mount --bind "$2" "$target"
  mount -o remount,bind,ro "$target"
  inputs=$((inputs - 1))
  shift 2
done
# Not by exec: a change of user makes the kernel forget that this process is to die with its parent.
code=0
chroot --userspec="$user" "$root" "$@" || code=$?
exit "$code"
`;

/**
 * Runs a command in a root file system as a container would.
 * @throws UserError `image-build-failed`
 */
export async function runInRoot(
  what: string,
  { root, user, env, inputs, command, signal, report }: InRoot,
): Promise<string> {
  // pdeathsig: if this process is killed, unshare goes, with it the first process of its PID namespace, with that all others.
  const isolated = [
    "--pdeathsig",
    "KILL",
    "unshare",
    "--mount",
    "--net",
    "--pid",
    "--uts",
    "--ipc",
    "--fork",
    "--kill-child",
  ];
  const pairs = Object.entries(inputs);
  return await run(
    what,
    "setpriv",
    [
      ...isolated,
      ...["sh", "-c", SETUP, "setup", root, user, String(pairs.length)],
      ...pairs.flat(),
      ...["/usr/bin/env", "-i", ...Object.entries(env).map(([name, value]) => `${name}=${value}`)],
      ...command,
    ],
    {
      env: childEnv({ PATH: systemPath() }),
      killSignal: "SIGKILL",
      onOutput: (chunk) => report?.(chunk.trim().split("\n").at(-1) ?? ""),
      ...(signal === undefined ? {} : { signal }),
    },
  );
}
