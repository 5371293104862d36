# The script of images.test.ts: a whole small cluster in one container; says who it is, the job's result, and for each JVM how many of
# the classes it loaded came from the class-data archive (Spark's own among them, not only Java's).
set -euo pipefail
echo "user $(id -u):$(id -g)"
if ! touch /opt/spark/written /usr/written 2>/dev/null; then echo "root file system read-only"; fi
cd /scratch
mkdir work local

jvm() { # role, heap, then arguments
  local role=$1 heap=$2
  shift 2
  java "@/opt/spark/jvm/$role.args" "-Xmx$heap" "-Xlog:class+load:file=/scratch/$role.classes" -Djava.io.tmpdir=/scratch "$@"
}
wait_for() {
  for _ in {1..600}; do
    if (: <>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then return; fi
    sleep 0.1
  done
  echo "nothing listens on $1"
  cat ./*.log
  exit 1
}

cat >driver.properties <<END
spark.master=spark://127.0.0.1:7077
spark.driver.host=127.0.0.1
spark.local.dir=/scratch/local
spark.executor.memory=600m
spark.executor.defaultJavaOptions=@/opt/spark/jvm/executor.args -Xlog:class+load:file=/scratch/executor.classes
END
cat >sum.py <<'END'
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
print("sum", spark.sparkContext.parallelize(range(1000), 2).map(lambda n: int(n)).sum(), flush=True)
assert spark.range(1000).selectExpr("sum(id)").first()[0] == 499500
END
export SPARK_LOCAL_IP=127.0.0.1
jvm master 128m org.apache.spark.deploy.master.Master --host 127.0.0.1 --port 7077 --webui-port 8080 >master.log 2>&1 &
master=$!
wait_for 7077
jvm worker 128m org.apache.spark.deploy.worker.Worker --host 127.0.0.1 --port 7078 --webui-port 8081 --cores 1 --memory 600m \
  --work-dir /scratch/work spark://127.0.0.1:7077 >worker.log 2>&1 &
worker=$!
wait_for 8081
jvm driver 600m org.apache.spark.deploy.SparkSubmit --properties-file driver.properties sum.py 2>driver.log || {
  cat driver.log
  exit 1
}
kill "$worker" "$master"
wait "$worker" "$master" || true
for role in master worker driver executor; do
  grep -q 'org\.apache\.spark\.SparkConf source: shared objects file' "$role.classes" || echo "$role: SparkConf is not from the archive"
  # Without hidden classes (`Name/0x…`): the JVM can't archive the lambdas of Scala, which are serializable.
  named=$(grep -v '/0x' "$role.classes")
  echo "$role archived $(grep -c 'source: shared objects file' <<<"$named") of $(wc -l <<<"$named")"
done
