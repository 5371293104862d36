import { COORDINATOR, MOUNTS, PORTS, SCRATCH, SECRET_FILE } from "./layout.ts";
import { WORKER_GRACE } from "./sizes.ts";

const HEAD = `#!/bin/bash
# Written by Mayfly (jobs/plan/spark/scripts.ts). Arguments: the whole java command.
set -euo pipefail
say() { echo "mayfly: $*" >&2; }
`;

/**
 * Spark takes the secret from its settings only, outside of its native Kubernetes mode, so they are put together here: in a file
 * that this container alone can read, never in arguments or variables that \`ps\` shows.
 */
const settings = (role: string): string => `(
  umask 077
  {
    cat ${MOUNTS.config}/${role}.properties
    printf 'spark.authenticate.secret=%s\\n' "$(<${SECRET_FILE})"
  } >${settingsFile(role)}
)
`;

/** Where a role's settings with the secret are. */
export const settingsFile = (role: string): string => `${MOUNTS.temporary}/${role}.properties`;

/** A connect may hang while a new pod's network policy is on its way, hence the limit on each try. */
const waitFor = (seconds: number): string => `wait_for() { # host port
  local since=$SECONDS
  until timeout 1 /bin/bash -c ': <>"/dev/tcp/$0/$1"' "$1" "$2" 2>/dev/null; do
    if ((SECONDS - since >= ${seconds})); then
      say "nothing listens on $1:$2 after ${seconds} s"
      exit 1
    fi
    sleep 0.1
  done
}
`;

const folders = `mkdir -p ${Object.values(SCRATCH).join(" ")}\n`;

/** The master only needs its settings. */
export const masterScript = (): string => `${HEAD}${settings("master")}exec "$@"
`;

/** The driver waits for the master in its own pod: a client that is refused once tries again after 20 s only. */
export const driverScript = (
  waitSeconds: number,
): string => `${HEAD}${waitFor(waitSeconds)}${settings("driver")}${folders}cd ${SCRATCH.work}
wait_for "$POD_IP" ${PORTS.master}
say "the master is up, the driver starts"
exec "$@"
`;

/**
 * The worker stays under a shell, for two things that Spark does not do by itself: SIGTERM lets a running executor move its blocks
 * away first (Spark listens to SIGPWR for that), and what executors print goes to the container's own output.
 */
export const workerScript = (
  waitSeconds: number,
): string => `${HEAD}${waitFor(waitSeconds)}${settings("worker")}${folders}
executor_runs() { grep -qsz '[C]oarseGrainedExecutorBackend' /proc/[0-9]*/cmdline; }

stop() {
  trap '' TERM
  if executor_runs; then
    say "asked to stop: the executor moves its blocks away"
    kill -PWR "$worker" 2>/dev/null || true
    for ((tick = 0; tick < ${(WORKER_GRACE - 10) * 4}; tick++)); do
      executor_runs || break
      sleep 0.25
    done
  fi
  kill -TERM "$worker" 2>/dev/null || true
}

copy_output() {
  local file from seen=" "
  while sleep 0.5; do
    for file in ${SCRATCH.work}/app-*/*/std{out,err}; do
      [[ -e $file && $seen != *" $file "* ]] || continue
      seen+="$file "
      # The first lines of stderr are the whole java command, written by the worker.
      case $file in *err) from=4 ;; *) from=1 ;; esac
      tail -q -n "+$from" -f --pid="$worker" "$file" &
    done
  done
}

wait_for ${COORDINATOR} ${PORTS.master}
"$@" &
worker=$!
trap stop TERM
copy_output &
code=0
wait "$worker" || code=$?
# A trapped signal ends the first wait early.
while kill -0 "$worker" 2>/dev/null; do
  code=0
  wait "$worker" || code=$?
done
exit "$code"
`;
