# The script of images.test.ts: starts a TaskManager that looks for its JobManager, and a JobManager whose job's class is missing; says for
# each how many of the classes it loaded came from the class-data archive, and how many of those that class loaders of Flink's own gave.
set -euo pipefail
echo "user $(id -u):$(id -g)"
if ! touch /opt/flink/written /usr/written 2>/dev/null; then echo "root file system read-only"; fi
cd /scratch
mkdir io tmp
cat >settings <<END
jobmanager.rpc.address: 127.0.0.1
jobmanager.memory.process.size: 1024m
rest.bind-address: 127.0.0.1
taskmanager.host: 127.0.0.1
taskmanager.cpu.cores: 1
taskmanager.memory.framework.heap.size: 128 mb
taskmanager.memory.framework.off-heap.size: 128 mb
taskmanager.memory.task.heap.size: 64 mb
taskmanager.memory.task.off-heap.size: 0 mb
taskmanager.memory.managed.size: 64 mb
taskmanager.memory.network.min: 64 mb
taskmanager.memory.network.max: 64 mb
taskmanager.memory.jvm-metaspace.size: 256 mb
taskmanager.memory.jvm-overhead.min: 192 mb
taskmanager.memory.jvm-overhead.max: 192 mb
io.tmp.dirs: /scratch/io
END
cp settings config.yaml
cp settings flink-conf.yaml
export FLINK_CONF_DIR=/scratch

jvm() { # role, then arguments
  local role=$1
  shift
  exec java "@/opt/flink/jvm/$role.args" -Xmx256m -XX:ActiveProcessorCount=1 -Djava.io.tmpdir=/scratch/tmp \
    "-Xlog:class+load:file=/scratch/$role.classes:none:filecount=0" "$@" >"$role.log" 2>&1
}
tell() { # role
  # Lambdas, proxies and what else a JVM makes up as it goes have no file to come from.
  grep -E 'source: (shared objects file|file:|jrt:)' "$1.classes" | grep -v '\$\$Lambda' >"$1.named"
  echo "$1 archived $(grep -c 'shared objects' "$1.named") of $(wc -l <"$1.named")"
  grep -E '^(org\.apache\.pekko|scala)\.' "$1.named" >"$1.pekko" || true
  echo "$1 pekko $(grep -c 'shared objects' "$1.pekko" || true) of $(wc -l <"$1.pekko")"
}

(jvm jobmanager org.apache.flink.container.entrypoint.StandaloneApplicationClusterEntryPoint \
  --configDir /scratch --job-classname Missing) || true
tell jobmanager

(jvm taskmanager org.apache.flink.runtime.taskexecutor.TaskManagerRunner --configDir /scratch) &
# Until it has looked for the JobManager over the network.
for _ in {1..300}; do
  if grep -q '^org\.apache\.pekko\.remote\.transport\.netty\.TcpClientHandler ' taskmanager.classes 2>/dev/null; then break; fi
  sleep 0.2
done
kill $! || cat taskmanager.log
wait || true
tell taskmanager
