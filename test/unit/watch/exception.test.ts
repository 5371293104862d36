import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { exceptionOf } from "../../../jobs/watch/exception.ts";

const of = (text: string): string | undefined => exceptionOf(text.split("\n"));

describe("exceptionOf", () => {
  it("gives the last line of a Python traceback, though Spark logs its shutdown after it", () => {
    const text = `26/11/24 06:00:05 INFO SparkContext: Running Spark version 4.0.1
Traceback (most recent call last):
  File "/tmp/spark-7d1/report.py", line 31, in <module>
    total = rows["amount"] / days
            ~~~~~~~~~~~~~~~^~~~~~
ZeroDivisionError: division by zero
26/11/24 06:00:09 INFO SparkContext: Invoking stop() from shutdown hook
26/11/24 06:00:09 INFO ShutdownHookManager: Shutdown hook called`;
    expect(of(text)).toBe("ZeroDivisionError: division by zero");
  });

  it("finds the executor's exception in the whole log of a real driver (Spark 4.0.1)", () => {
    const log = readFileSync(new URL("samples/python-exception-in-executor.log", import.meta.url), "utf8");
    expect(of(log)).toBe("ValueError: could not convert string to float: '7,80'");
  });

  it("passes over a bare EOFException to what says why (Spark 4.0.1)", () => {
    const log = readFileSync(new URL("samples/python-worker-killed.log", import.meta.url), "utf8");
    expect(of(log)).toMatch(
      /^org\.apache\.spark\.SparkException: Python worker exited unexpectedly \(crashed\)/,
    );
  });

  it("gives the last of chained exceptions", () => {
    const text = `Traceback (most recent call last):
  File "/app.py", line 3, in load
    return table[key]
KeyError: 'orders'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/app.py", line 9, in <module>
    load("orders")
  File "/app.py", line 5, in load
    raise LookupError(f"no table {key}")
LookupError: no table orders`;
    expect(of(text)).toBe("LookupError: no table orders");
  });

  it("looks through Py4J into the executor's Python", () => {
    const text = `26/11/24 06:01:00 WARN TaskSetManager: Lost task 0.0 in stage 0.0 (TID 0) (10.244.0.9 executor 0): org.apache.spark.api.python.PythonException: Traceback (most recent call last):
  File "/opt/spark/python/lib/pyspark.zip/pyspark/worker.py", line 2044, in main
    process()
  File "/tmp/exception.py", line 8, in parse
    return int(line)
ValueError: invalid literal for int() with base 10: 'n/a'

	at org.apache.spark.api.python.BasePythonRunner$ReaderIterator.handlePythonException(PythonRunner.scala:581)
26/11/24 06:01:02 ERROR TaskSetManager: Task 0 in stage 0.0 failed 4 times; aborting job
Traceback (most recent call last):
  File "/tmp/exception.py", line 14, in <module>
    print(lines.map(parse).sum())
  File "/opt/spark/python/lib/py4j-0.10.9.9-src.zip/py4j/protocol.py", line 327, in get_return_value
py4j.protocol.Py4JJavaError: An error occurred while calling z:org.apache.spark.api.python.PythonRDD.collectAndServe.
: org.apache.spark.SparkException: Job aborted due to stage failure: Task 0 in stage 0.0 failed 4 times, most recent failure: Lost task 0.3 in stage 0.0 (TID 6) (10.244.0.9 executor 0): org.apache.spark.api.python.PythonException: Traceback (most recent call last):
  File "/opt/spark/python/lib/pyspark.zip/pyspark/worker.py", line 2044, in main
    process()
  File "/tmp/exception.py", line 8, in parse
    return int(line)
ValueError: invalid literal for int() with base 10: 'n/a'

	at org.apache.spark.api.python.BasePythonRunner$ReaderIterator.handlePythonException(PythonRunner.scala:581)
	at java.base/java.lang.Thread.run(Thread.java:840)

Driver stacktrace:
	at org.apache.spark.scheduler.DAGScheduler.$anonfun$abortStage$2(DAGScheduler.scala:2935)
Caused by: org.apache.spark.api.python.PythonException: Traceback (most recent call last):
  File "/tmp/exception.py", line 8, in parse
    return int(line)
ValueError: invalid literal for int() with base 10: 'n/a'
`;
    expect(of(text)).toBe("ValueError: invalid literal for int() with base 10: 'n/a'");
  });

  it("looks through PySpark's own exception into the executor's Python", () => {
    const text = `Traceback (most recent call last):
  File "/tmp/app.py", line 11, in <module>
    frame.collect()
  File "/opt/spark/python/lib/pyspark.zip/pyspark/errors/exceptions/captured.py", line 288, in deco
    raise converted from None
pyspark.errors.exceptions.captured.PythonException: 
  An exception was thrown from the Python worker. Please see the stack trace below.
Traceback (most recent call last):
  File "/tmp/app.py", line 6, in rate
    return 1 / 0
ZeroDivisionError: division by zero
`;
    expect(of(text)).toBe("ZeroDivisionError: division by zero");
  });

  it("gives Spark's analysis error as it is", () => {
    const text = `Traceback (most recent call last):
  File "/tmp/app.py", line 5, in <module>
    spark.read.parquet("s3a://demo-input/none")
pyspark.errors.exceptions.captured.AnalysisException: [PATH_NOT_FOUND] Path does not exist: s3a://demo-input/none. SQLSTATE: 42K03`;
    expect(of(text)).toBe(
      "pyspark.errors.exceptions.captured.AnalysisException: [PATH_NOT_FOUND] Path does not exist: s3a://demo-input/none. SQLSTATE: 42K03",
    );
  });

  it("gives the Java cause where Py4J carries no Python", () => {
    const text = `Traceback (most recent call last):
  File "/tmp/app.py", line 5, in <module>
    words.saveAsTextFile("s3a://demo-output/words")
py4j.protocol.Py4JJavaError: An error occurred while calling o55.saveAsTextFile.
: org.apache.spark.SparkException: Job aborted.
	at org.apache.spark.internal.io.SparkHadoopWriter$.write(SparkHadoopWriter.scala:106)
Caused by: java.nio.file.AccessDeniedException: s3a://demo-output/words: 403 Forbidden
	at org.apache.hadoop.fs.s3a.S3AUtils.translateException(S3AUtils.java:259)`;
    expect(of(text)).toBe("java.nio.file.AccessDeniedException: s3a://demo-output/words: 403 Forbidden");
    const short = text.split("\n").slice(0, 5);
    expect(exceptionOf(short)).toBe("org.apache.spark.SparkException: Job aborted.");
  });

  it("gives the last cause of a Java exception", () => {
    const text = `26/11/24 06:00:05 INFO SparkContext: Submitted application: daily
Exception in thread "main" java.lang.IllegalStateException: can't load rates
	at com.acme.sessions.Daily$.main(Daily.scala:17)
Caused by: java.io.UncheckedIOException: java.io.IOException: closed
	at com.acme.sessions.Rates.load(Rates.scala:8)
	... 14 more
Caused by: java.io.IOException: closed
	... 15 more
26/11/24 06:00:06 INFO SparkContext: Invoking stop() from shutdown hook`;
    expect(of(text)).toBe("java.io.IOException: closed");
    expect(
      of('Exception in thread "main" java.lang.RuntimeException: boom\n\tat Main.main(Main.java:3)'),
    ).toBe("java.lang.RuntimeException: boom");
  });

  it("gives what Python's parser and spark-submit say", () => {
    expect(
      of('  File "/tmp/app.py", line 3\n    print("a"\n         ^\nSyntaxError: \'(\' was never closed'),
    ).toBe("SyntaxError: '(' was never closed");
    expect(
      of("python3: can't open file '/opt/spark/work-dir/app.py': [Errno 2] No such file or directory"),
    ).toContain("can't open file");
    expect(of("Error: Failed to load class com.acme.Main.")).toBe(
      "Error: Failed to load class com.acme.Main.",
    );
  });

  it("gives nothing for a plain exit, nor for a task's exception that Spark got over", () => {
    expect(of("26/11/24 06:00:05 INFO SparkContext: Running Spark version 4.0.1")).toBeUndefined();
    const retried = `26/11/24 06:01:00 WARN TaskSetManager: Lost task 0.0 in stage 0.0 (TID 0) (10.244.0.9 executor 0): org.apache.spark.api.python.PythonException: Traceback (most recent call last):
  File "/tmp/exception.py", line 8, in parse
OSError: disk
26/11/24 06:01:03 INFO DAGScheduler: Job 0 finished: count at app.py:4, took 3.1 s`;
    expect(of(retried)).toBeUndefined();
  });

  it("cuts what nobody reads to the end", () => {
    expect(
      of(`Traceback (most recent call last):\n  File "a.py", line 1\nValueError: ${"x".repeat(9000)}`),
    ).toHaveLength(501);
  });
});

describe("the exception of Flink's JobManager", () => {
  it("is the last cause that says something, from what it logs of its application", () => {
    const lines = [
      "13:34:44.485 INFO PackagedProgramApplication: Application FAILED: ",
      "java.util.concurrent.CompletionException: org.apache.flink.client.deployment.application.UnsuccessfulExecutionException: Job Status: FAILED",
      "\tat java.base/java.util.concurrent.CompletableFuture.encodeThrowable(CompletableFuture.java:331)",
      "Caused by: org.apache.flink.runtime.client.JobExecutionException: Job execution failed.",
      "\t... 54 more",
      'Caused by: java.lang.NumberFormatException: For input string: "one"',
      "\tat com.acme.Orders.main(Orders.java:12)",
      "13:34:44.537 INFO PackagedProgramApplication: Start to cancel remaining jobs for application com.acme.Orders (5698).",
      "13:34:45.102 WARN RpcEndpoint$MainThreadExecutor: The scheduled executor service is shutdown",
    ];
    expect(exceptionOf(lines)).toBe('java.lang.NumberFormatException: For input string: "one"');
  });
});
