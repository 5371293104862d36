import { COORDINATOR, MOUNTS, PORTS, SCRATCH, SECRET_FILE } from "./layout.ts";
import { HEAD_START, WORKER_GRACE } from "./sizes.ts";

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

const folders = `mkdir -p ${Object.values(SCRATCH).join(" ")}\n`;

/**
 * Starts java at once, side by side with the master, but holds it still before it can have come to the point of asking for the
 * master: a driver that is refused tries again after 20 s only, a worker after 5 to 15 s. A connect may hang while a new pod's
 * network policy is on its way, hence the limit on each try.
 */
const startJava = (waitSeconds: number, headStart: number): string => `java=
start_java() { # host and port of the master, java command
  local address=("$1" "$2") held= since=$SECONDS stat
  shift 2
  "$@" &
  java=$!
  until timeout 1 /bin/bash -c ': <>"/dev/tcp/$0/$1"' "\${address[@]}" 2>/dev/null; do
    if ((SECONDS - since >= ${waitSeconds})); then
      say "nothing listens on \${address[*]} after ${waitSeconds} s"
      kill -KILL "$java" 2>/dev/null || true
      exit 1
    fi
    kill -0 "$java" 2>/dev/null || return 0
    # Fields 14 and 15: hundredths of a second of CPU time.
    if [[ -z $held ]] && read -ra stat 2>/dev/null <"/proc/$java/stat" && ((stat[13] + stat[14] >= ${headStart})); then
      kill -STOP "$java"
      held=yes
    fi
    sleep 0.1
  done
  say "the master is up"
  kill -CONT "$java" 2>/dev/null || true
}

# Ends with java's exit code. A trapped signal ends a wait early; bash keeps the code of a child that is gone.
end_with_java() {
  local code
  while kill -0 "$java" 2>/dev/null; do wait "$java" || true; done
  code=0
  wait "$java" || code=$?
  exit "$code"
}

# To a process that may be held still.
terminate() {
  kill -TERM "$java" 2>/dev/null || true
  kill -CONT "$java" 2>/dev/null || true
}
`;

/** The master only needs its settings. */
export const masterScript = (): string => `${HEAD}${settings("master")}exec "$@"
`;

/** The driver, in the working folder that Spark's warehouse and the like go to. */
export const driverScript = (
  waitSeconds: number,
): string => `${HEAD}${startJava(waitSeconds, HEAD_START.driver)}
${settings("driver")}${folders}cd ${SCRATCH.work}
trap '[[ -z $java ]] && exit 143 || terminate' TERM
start_java "$POD_IP" ${PORTS.master} "$@"
end_with_java
`;

/**
 * The worker stays under a shell, for two things that Spark does not do by itself: SIGTERM lets a running executor move its blocks
 * away first (Spark listens to SIGPWR for that), and what executors print goes to the container's own output.
 */
export const workerScript = (
  waitSeconds: number,
): string => `${HEAD}${startJava(waitSeconds, HEAD_START.worker)}
executor_runs() { grep -qsz '[C]oarseGrainedExecutorBackend' /proc/[0-9]*/cmdline; }

stop() {
  trap '' TERM
  [[ -n $java ]] || exit 143
  if executor_runs; then
    say "asked to stop: the executor moves its blocks away"
    kill -PWR "$java" 2>/dev/null || true
    for ((tick = 0; tick < ${(WORKER_GRACE - 10) * 4}; tick++)); do
      executor_runs || break
      sleep 0.25
    done
  fi
  terminate
}

copy_output() {
  local file from seen=" "
  while sleep 0.5; do
    for file in ${SCRATCH.work}/app-*/*/std{out,err}; do
      [[ -e $file && $seen != *" $file "* ]] || continue
      seen+="$file "
      # The first lines of stderr are the whole java command, written by the worker.
      case $file in *err) from=4 ;; *) from=1 ;; esac
      tail -q -n "+$from" -f --pid="$java" "$file" &
    done
  done
}

${settings("worker")}${folders}trap stop TERM
start_java ${COORDINATOR} ${PORTS.master} "$@"
copy_output &
copier=$!
trap 'kill "$copier" 2>/dev/null || true' EXIT
end_with_java
`;
