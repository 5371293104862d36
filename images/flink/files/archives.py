"""Makes the image's class-data archive: the classes that JobManager and TaskManager load, parsed and verified once for all.

Runs at image build time, inside the image's own file system (chroot in the lab, RUN in a Dockerfile) as the image's user, with loopback
up. A throw-away cluster runs the jobs of Training.java against a pretend S3, each JVM lists the classes that it loads, then one JVM writes
the archive of all of them: https://docs.oracle.com/en/java/javase/17/docs/specs/man/java.html#application-class-data-sharing

Usage: archives.py <folder with Training.java, s3stub.py, ecj-*.jar> <archive to write> <config.yaml or flink-conf.yaml>
"""

import glob
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import zipfile

HERE, ARCHIVE, CONFIG = sys.argv[1:]
HOME = os.environ["FLINK_HOME"]
ROLES = ("jobmanager", "taskmanager")
S3, REST = "http://127.0.0.1:9000", "http://127.0.0.1:8081"
JOB = "7261696e696e67000000000000000000"
WORK = tempfile.mkdtemp()

SETTINGS = """\
jobmanager.rpc.address: 127.0.0.1
jobmanager.rpc.port: 6123
jobmanager.bind-host: 127.0.0.1
blob.server.port: 6124
rest.address: localhost
rest.bind-address: 127.0.0.1
rest.port: 8081
rest.bind-port: 8081
web.submit.enable: false
web.cancel.enable: false
taskmanager.bind-host: 127.0.0.1
taskmanager.numberOfTaskSlots: 2
taskmanager.cpu.cores: 1
taskmanager.memory.framework.heap.size: 128 mb
taskmanager.memory.framework.off-heap.size: 128 mb
taskmanager.memory.task.heap.size: 256 mb
taskmanager.memory.task.off-heap.size: 0 mb
taskmanager.memory.managed.size: 128 mb
taskmanager.memory.network.min: 64 mb
taskmanager.memory.network.max: 64 mb
taskmanager.memory.jvm-metaspace.size: 256 mb
taskmanager.memory.jvm-overhead.min: 192 mb
taskmanager.memory.jvm-overhead.max: 192 mb
jobmanager.memory.heap.size: 512 mb
jobmanager.memory.off-heap.size: 128 mb
jobmanager.memory.jvm-metaspace.size: 256 mb
jobmanager.memory.jvm-overhead.min: 192 mb
jobmanager.memory.jvm-overhead.max: 192 mb
parallelism.default: 2
metrics.reporters: prom
metrics.reporter.prom.factory.class: org.apache.flink.metrics.prometheus.PrometheusReporterFactory
security.ssl.internal.enabled: true
security.ssl.internal.keystore: {work}/internal.p12
security.ssl.internal.keystore-password: internal
security.ssl.internal.key-password: internal
security.ssl.internal.truststore: {work}/internal.p12
security.ssl.internal.truststore-password: internal
security.ssl.protocol: TLSv1.2
security.ssl.algorithms: TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
execution.shutdown-on-application-finish: false
execution.submit-failed-job-on-application-error: true
io.tmp.dirs: {work}/io
user.artifacts.base-dir: {work}/artifacts
s3.endpoint: {s3}
s3.endpoint.region: us-east-1
s3.path.style.access: true
s3.connection.ssl.enabled: false
s3.aws.credentials.provider: com.amazonaws.auth.profile.ProfileCredentialsProvider
s3.buffer.dir: {work}/io
s3.entropy.key: _entropy_
s3.entropy.length: 4
s3.directory.marker.retention: keep
"""

STREAM = """\
execution.runtime-mode: STREAMING
jobmanager.scheduler: adaptive
state.backend.type: {backend}
state.backend.rocksdb.localdir: {work}/state
execution.checkpointing.incremental: true
execution.checkpointing.interval: 1s
execution.checkpointing.dir: s3://training/_entropy_/checkpoints
execution.checkpointing.savepoint-dir: s3://training/savepoints
execution.checkpointing.externalized-checkpoint-retention: RETAIN_ON_CANCELLATION
"""

BATCH = "execution.runtime-mode: BATCH\n"

LOG = """\
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
appender.console.name = console
appender.console.type = Console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{ISO8601} %p %c{1} %m%n
"""


def run(command):
    done = subprocess.run(command, shell=True, cwd=WORK, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"archives: '{command}' failed\n{done.stdout}{done.stderr}")


def arguments(role):
    with open(f"{HOME}/jvm/{role}.args") as file:
        return [line for line in file.read().splitlines() if not line.startswith(("-XX:SharedArchiveFile=", "-Xshare:"))]


def put(key, data):
    urllib.request.urlopen(urllib.request.Request(f"{S3}/training/{key}", data=data, method="PUT")).read()


def ask(path, body=None):
    headers = {"Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(REST + path, data=data, headers=headers), timeout=20) as answer:
        return json.load(answer)


class Cluster:
    """A JobManager with one job, and a TaskManager."""

    def __init__(self, name, settings, main):
        self.name, self.processes = name, {}
        self.folder = f"{WORK}/{name}"
        os.mkdir(self.folder)
        with open(f"{self.folder}/{CONFIG}", "w") as file:
            file.write((SETTINGS + settings).format(work=WORK, s3=S3))
        entry = "org.apache.flink.container.entrypoint.StandaloneApplicationClusterEntryPoint"
        jars = ["--jars", "s3://training/training.jar", "--job-classname", "Training", "--", *main]
        self.start("jobmanager", [entry, "--configDir", self.folder, "--job-id", JOB, *jars])
        runner = "org.apache.flink.runtime.taskexecutor.TaskManagerRunner"
        # Both are on one address here.
        own = ["taskmanager.host=127.0.0.1", "taskmanager.resource-id=worker-0", "metrics.reporter.prom.port=9250"]
        self.start("taskmanager", [runner, "--configDir", self.folder, *(word for one in own for word in ("-D", one))])

    def start(self, role, command):
        flags = ["-Xmx512m", f"-Dlog4j2.configurationFile={WORK}/log4j2.properties", f"-Djava.io.tmpdir={WORK}/tmp"]
        listing = [f"-XX:DumpLoadedClassList={self.folder}/{role}.classes"]
        listing += [f"-Xlog:class+load=debug:file={self.folder}/{role}.loads:tid:filecount=0"]
        with open(f"{self.folder}/{role}.log", "w") as log:
            self.processes[role] = subprocess.Popen(
                ["java", *arguments(role), *listing, *flags, *command], stdout=log, stderr=log, cwd=WORK
            )

    def until(self, what, true):
        for _ in range(600):
            for role, process in self.processes.items():
                if process.poll() is not None:
                    self.fail(f"the {role} ended while waiting for: {what}")
            try:
                answer = true()
                if answer:
                    return answer
            except (urllib.error.URLError, OSError, KeyError):
                pass
            time.sleep(0.2)
        return self.fail(f"this has not come: {what}")

    def fail(self, why):
        for role in ROLES:
            with open(f"{self.folder}/{role}.log") as log:
                print(f"--- {role}\n" + "".join(log.readlines()[-30:]), file=sys.stderr)
        sys.exit(f"archives: {self.name}: {why}")

    def end(self):
        """Ends both by SIGTERM, so that they write their lists to the end."""
        for process in reversed(self.processes.values()):
            process.terminate()
        for role, process in self.processes.items():
            process.wait(60)
            if os.path.getsize(f"{self.folder}/{role}.classes") < 100_000:
                self.fail(f"the {role} listed too few classes")


def completed():
    return ask(f"/jobs/{JOB}/checkpoints")["counts"]["completed"]


def train_stream(backend):
    cluster = Cluster(backend, STREAM.replace("{backend}", backend), ["stream", "-", "s3://training/stream"])
    cluster.until("two checkpoints", lambda: completed() >= 2)
    # What the helper asks and scrapes.
    for path in ("/overview", "/taskmanagers", "/jobs/overview", f"/jobs/{JOB}", f"/jobs/{JOB}/exceptions", f"/jobs/{JOB}/config"):
        ask(path)
    for vertex in ask(f"/jobs/{JOB}")["vertices"]:
        ask(f"/jobs/{JOB}/vertices/{vertex['id']}/subtasks/metrics?get=numRecordsIn")
    for port in (9249, 9250):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics").read()
    where = {"targetDirectory": "s3://training/savepoints", "drain": False, "formatType": "NATIVE"}
    trigger = ask(f"/jobs/{JOB}/stop", where)["request-id"]
    path = f"/jobs/{JOB}/savepoints/{trigger}"
    done = cluster.until("the savepoint", lambda: (lambda a: a if a["status"]["id"] == "COMPLETED" else None)(ask(path)))
    if "location" not in done["operation"]:
        cluster.fail(f"no savepoint: {done}")
    cluster.until("the stream's end", lambda: ask(f"/jobs/{JOB}")["state"] == "FINISHED")
    cluster.end()


def train_batch():
    cluster = Cluster("batch", BATCH, ["batch", "s3://training/input", "s3://training/batch"])
    cluster.until("the batch's end", lambda: ask(f"/jobs/{JOB}")["state"] == "FINISHED")
    cluster.end()


def listed(files):
    """Lines of the JVMs' own class lists: what boot, platform and application loaders gave, and lambdas (@)."""
    lines = set()
    for path in files:
        with open(path) as file:
            lines.update(line for line in file.read().splitlines() if not line.startswith("#"))
    return sorted(lines)


LOAD = re.compile(r"\[(\d+)\s*\] (\S+) source: (?:file:)?(.+)")
KLASS = re.compile(
    r"\[(\d+)\s*\]  klass: (\w+) super: (\w+)(?: interfaces:((?: \w+)+))? loader: \[loader data: \w+ (?:of|for instance a) '([^']+)"
)
BUILT_IN = ("bootstrap", "jdk/internal/loader/ClassLoaders$PlatformClassLoader", "jdk/internal/loader/ClassLoaders$AppClassLoader")


def loads(path):
    """From a JVM's log: each class with its source, loader, own number, and those of superclass and interfaces."""
    before = {}
    with open(path) as file:
        for line in file:
            load, klass = LOAD.match(line), KLASS.match(line)
            if load:
                before[load[1]] = (load[2].replace(".", "/"), load[3])
            elif klass and klass[1] in before:
                yield (*before.pop(klass[1]), klass[5], klass[2], [klass[3], *(klass[4] or "").split()])


def foreign(files, known, rpc):
    """Lines for classes that Pekko's and the plugins' own class loaders gave, which Java 17 archives but does not list.

    Such a line names the jar, and superclass and interfaces by the numbers of their lines; a name can be in the archive once. What a
    job's class loader gave is left out: its jar will be another one. A class is taken from the archive where its bytes are the same,
    whatever its jar is called by then: Flink unpacks that of Pekko under another name each time.
    """
    numbers, lines = {}, []

    def number(key):
        return numbers.setdefault(key, str(len(numbers) + 1))

    for path in files:
        keys = {}
        for name, source, loader, klass, parents in loads(path):
            if loader in BUILT_IN:
                if name in known:
                    keys[klass] = (name, None)
                continue
            jar = rpc if "/flink-rpc-" in source else source
            if jar.startswith(WORK) and jar != rpc or not jar.endswith(".jar") or not keys.keys() >= set(parents):
                continue
            # What looks like the platform's own is refused.
            if name.startswith("javax/"):
                continue
            keys[klass] = (name, jar)
            if (name, jar) in numbers or any(name == other for other, of in numbers if of is not None and of != jar):
                continue
            above, *faces = [number(keys[parent]) for parent in parents]
            interfaces = f" interfaces: {' '.join(faces)}" if faces else ""
            lines.append(f"{name} id: {number((name, jar))} super: {above}{interfaces} source: {jar}")
    return {name: of for (name, jar), of in numbers.items() if jar is None}, lines


def merged():
    """The class list of the archive."""
    classes = listed(glob.glob(f"{WORK}/*/*.classes"))
    rpc = f"{WORK}/flink-rpc.jar"
    with zipfile.ZipFile(glob.glob(f"{HOME}/lib/flink-dist-*.jar")[0]) as dist, open(rpc, "wb") as file:
        file.write(dist.read("flink-rpc-akka.jar"))
    named, others = foreign(sorted(glob.glob(f"{WORK}/*/*.loads")), set(classes), rpc)
    return [f"{line} id: {named[line]}" if line in named else line for line in classes] + others


def main():
    for name in ("io", "tmp", "classes", "home"):
        os.mkdir(f"{WORK}/{name}")
    with open(f"{WORK}/log4j2.properties", "w") as file:
        file.write(LOG)
    with open(f"{WORK}/credentials", "w") as file:
        file.write("[default]\naws_access_key_id = training\naws_secret_access_key = training\n")
    os.environ.update(AWS_CREDENTIAL_PROFILES_FILE=f"{WORK}/credentials", AWS_SHARED_CREDENTIALS_FILE=f"{WORK}/credentials")
    os.environ.update(HOME=f"{WORK}/home", FLINK_CONF_DIR=WORK)

    print("compiling the training jobs", flush=True)
    classpath = arguments("jobmanager")[1]
    compiler = glob.glob(f"{HERE}/**/ecj-*.jar", recursive=True)[0]
    run(f"java -jar {compiler} -nowarn -source 11 -target 11 -cp {classpath} -d {WORK}/classes {HERE}/files/Training.java")
    run(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key -out certificate -subj /CN=training"
        " -addext subjectAltName=IP:127.0.0.1 && openssl pkcs12 -export -name run -inkey key -in certificate"
        " -out internal.p12 -passout pass:internal"
    )
    stub = subprocess.Popen([sys.executable, f"{HERE}/s3stub.py", "9000"], stderr=subprocess.DEVNULL)
    try:
        jar = io.BytesIO()
        with zipfile.ZipFile(jar, "w") as zipped:
            for path in glob.glob(f"{WORK}/classes/*.class"):
                zipped.write(path, os.path.basename(path))
        for _ in range(100):
            try:
                put("training.jar", jar.getvalue())
                break
            except OSError:
                time.sleep(0.1)
        put("input/words.txt", b"the quick brown fox jumps over the lazy dog\n" * 1000)
        for name, train in (("rocksdb", lambda: train_stream("rocksdb")), ("batch", train_batch)):
            print(f"running the training job {name}", flush=True)
            train()
    finally:
        stub.kill()

    print("writing the archive", flush=True)
    lines = merged()
    with open(f"{WORK}/all.list", "w") as file:
        file.write("\n".join(lines) + "\n")
    # Only the G1 collector can write the archive's objects; the others can read them.
    dump = ["-XX:+UseG1GC", "-Xshare:dump", f"-XX:SharedClassListFile={WORK}/all.list", f"-XX:SharedArchiveFile={ARCHIVE}"]
    with open(f"{WORK}/dump.log", "w") as log:
        code = subprocess.call(["java", *arguments("jobmanager"), *dump], stdout=log, stderr=log, cwd=WORK)
    if code != 0:
        with open(f"{WORK}/dump.log") as log:
            sys.exit("archives: the archive could not be written\n" + "".join(log.readlines()[-40:]))
    others = sum(" source: " in line for line in lines)
    print(f"{len(lines)} classes, {others} of plugins and RPC, {os.path.getsize(ARCHIVE)} bytes")


main()
