#!/bin/sh
# Makes the image's class-data archive, /opt/spark/cds/spark.jsa: the classes that master, worker, driver and executor load, parsed
# and verified once for all. Runs at image build time, inside the image's own file system (chroot in the lab, RUN in a Dockerfile) as
# the image's user, with loopback up. A throw-away standalone cluster runs train.py, each JVM lists the classes that it loads, then one
# JVM writes the archive of all of them.
# https://docs.oracle.com/en/java/javase/17/docs/specs/man/java.html#application-class-data-sharing
# Usage: archives.sh <class name of the S3A credentials provider>
set -eu

provider=$1
here=$(cd "$(dirname "$0")" && pwd)
home=${SPARK_HOME:?}
work=$(mktemp -d)
pids=""
cleanup() {
  # shellcheck disable=SC2086 # a list of process ids
  [ -z "$pids" ] || kill -9 $pids 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 143' TERM INT
mkdir "$work/worker" "$work/local"

# The flags of the run time, but for listing classes instead of reading the archive.
for role in master worker driver executor; do
  sed "s|^-XX:SharedArchiveFile=.*|-XX:DumpLoadedClassList=$work/$role.classes|; /^-Xshare:/d" "$home/jvm/$role.args" \
    >"$work/$role.args"
done

cat >"$work/daemon.properties" <<END
spark.authenticate true
spark.authenticate.secret training
spark.network.crypto.enabled true
spark.network.crypto.authEngineVersion 2
spark.decommission.enabled true
END
cat >"$work/driver.properties" <<END
spark.master spark://127.0.0.1:7077
spark.app.name training
spark.authenticate true
spark.authenticate.secret training
spark.network.crypto.enabled true
spark.network.crypto.authEngineVersion 2
spark.driver.host 127.0.0.1
spark.driver.bindAddress 127.0.0.1
spark.executor.memory 700m
spark.executor.cores 2
spark.cores.max 2
spark.local.dir $work/local
spark.executor.extraJavaOptions @$work/executor.args
spark.decommission.enabled true
spark.storage.decommission.enabled true
spark.eventLog.enabled true
spark.eventLog.dir s3a://training/events
spark.ui.prometheus.enabled true
spark.sql.shuffle.partitions 2
spark.sql.warehouse.dir $work/warehouse
spark.hadoop.fs.s3a.endpoint http://127.0.0.1:9000
spark.hadoop.fs.s3a.endpoint.region us-east-1
spark.hadoop.fs.s3a.path.style.access true
spark.hadoop.fs.s3a.connection.ssl.enabled false
spark.hadoop.fs.s3a.aws.credentials.provider $provider
spark.hadoop.fs.s3a.buffer.dir $work/local
spark.hadoop.fs.s3a.attempts.maximum 2
spark.hadoop.fs.s3a.committer.name magic
spark.hadoop.fs.s3a.committer.magic.enabled true
spark.hadoop.mapreduce.outputcommitter.factory.scheme.s3a org.apache.hadoop.fs.s3a.commit.S3ACommitterFactory
spark.sql.sources.commitProtocolClass org.apache.spark.internal.io.cloud.PathOutputCommitProtocol
spark.sql.parquet.output.committer.class org.apache.spark.internal.io.cloud.BindingParquetOutputCommitter
END
export AWS_ACCESS_KEY_ID=training AWS_SECRET_ACCESS_KEY=training TRAINING_FOLDER="$work"
export SPARK_LOCAL_IP=127.0.0.1
export SPARK_LOCAL_DIRS="$work/local"

fail() { # message, then the role whose log tells more
  echo "archives: $1" >&2
  tail -n 60 "$work/$2.log" >&2 || true
  exit 1
}

await() { # port, role, process id
  python3 - "$@" <<'END' || fail "the $2 does not listen on port $1" "$2"
import socket, sys, time
port, _, process = sys.argv[1:]
for _ in range(600):
    try:
        socket.create_connection(("127.0.0.1", int(port)), 1).close()
        sys.exit(0)
    except OSError:
        with open(f"/proc/{process}/stat") as stat:
            if stat.read().rpartition(")")[2].split()[0] == "Z":
                sys.exit(1)
        time.sleep(0.1)
sys.exit(1)
END
}

finish() { # process id, role: SIGTERM, so that the list gets written to its end
  kill -TERM "$1"
  wait "$1" || true
  [ -s "$work/$2.classes" ] || fail "the $2 listed no classes" "$2"
}

echo "starting a cluster"
python3 "$here/s3stub.py" 9000 >"$work/s3.log" 2>&1 &
stub=$!
pids="$stub"
java "@$work/master.args" -Xmx512m org.apache.spark.deploy.master.Master --properties-file "$work/daemon.properties" \
  --host 127.0.0.1 --port 7077 --webui-port 8080 >"$work/master.log" 2>&1 &
master=$!
pids="$pids $master"
await 7077 master "$master"
java "@$work/worker.args" -Xmx512m org.apache.spark.deploy.worker.Worker --properties-file "$work/daemon.properties" \
  --host 127.0.0.1 --port 7078 --webui-port 8081 --cores 2 --memory 2g --work-dir "$work/worker" spark://127.0.0.1:7077 \
  >"$work/worker.log" 2>&1 &
worker=$!
pids="$pids $worker"
await 9000 s3 "$stub"
# The application comes from S3, as it does in a real run; Spark wants the event log's folder to be there.
python3 - "$here/train.py" <<'END'
import sys, urllib.request
def put(key, data):
    urllib.request.urlopen(urllib.request.Request("http://127.0.0.1:9000/training/" + key, data=data, method="PUT"))
with open(sys.argv[1], "rb") as file:
    put("train.py", file.read())
put("events/", b"")
END
# Worker and master also answer their web pages once: probes and the UI proxy will ask for them.
await 8081 worker "$worker"
python3 -c 'import urllib.request
for url in ("http://127.0.0.1:8080/", "http://127.0.0.1:8080/json/", "http://127.0.0.1:8081/", "http://127.0.0.1:8081/json/"):
    urllib.request.urlopen(url).read()'

echo "running the training job"
java "@$work/driver.args" -Xmx1g org.apache.spark.deploy.SparkSubmit --properties-file "$work/driver.properties" \
  s3a://training/train.py >"$work/driver.log" 2>&1 &
driver=$!
pids="$pids $driver"
wait "$driver" || {
  tail -n 30 "$work"/worker/*/*/stderr >&2 || true
  fail "the training job failed" driver
}

for _ in $(seq 200); do
  grep -qsz '[C]oarseGrainedExecutorBackend' /proc/[0-9]*/cmdline || break
  sleep 0.1
done
cat "$work"/worker/*/*/stderr >"$work/executor.log"
[ -s "$work/executor.classes" ] || fail "the executor listed no classes" executor
finish "$worker" worker
finish "$master" master
kill -9 "$stub"
pids=""

echo "writing the archive"
# Identifiers count per JVM; classes with a source: come from class loaders of the application, which the archive can't serve here.
cat "$work"/*.classes | grep -v -e '^#' -e ' source: ' | sed 's/ id: [0-9]*$//' | LC_ALL=C sort -u >"$work/all.list"
# Only the G1 collector can write the archive's objects; the others can read them. Added modules would keep the module graph out.
sed "/^-XX:SharedArchiveFile=/d; /^-Xshare:/d; /^--add-modules=/d" "$home/jvm/driver.args" >"$work/dump.args"
java "@$work/dump.args" -XX:+UseG1GC -Xshare:dump "-XX:SharedClassListFile=$work/all.list" \
  "-XX:SharedArchiveFile=$home/cds/spark.jsa" >"$work/dump.log" 2>&1 || fail "the archive could not be written" dump
for role in master worker driver executor; do
  echo "$role: $(grep -c -v '^[#@]' "$work/$role.classes") classes"
done
echo "all: $(grep -c -v '^@' "$work/all.list") classes, $(stat -c %s "$home/cds/spark.jsa") bytes"
