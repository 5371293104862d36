/** Longest exception text given to people; Spark repeats whole stack traces in its messages. */
const LENGTH = 500;

/** `ValueError: bad`, `pyspark.errors.exceptions.captured.AnalysisException: …`, `KeyboardInterrupt`. */
const PYTHON = /^[A-Za-z_][\w.]*(: .*|:)?$/;
const TRACEBACK = "Traceback (most recent call last):";
/** Exceptions that only carry another one, from Java or from an executor's Python. */
const CARRIER =
  /^(py4j\.protocol\.Py4JJavaError|pyspark\.errors\.exceptions\.captured\.\w+|pyspark\.sql\.utils\.\w+)\b/;
const JAVA = /^(?:[a-z_][\w$]*\.)+[A-Z][\w$]*(?:: .*)?$/;

/**
 * The last line of the exception that ended the driver: of a Python traceback, else of a Java exception, else of an error
 * that spark-submit or Python itself printed; undefined where there is none.
 * @param lines The driver's last lines, oldest first.
 */
export function exceptionOf(lines: readonly string[]): string | undefined {
  const found =
    pythonException(lines) ?? javaException(lines) ?? applicationFailure(lines) ?? plainError(lines);
  return found === undefined || found.length <= LENGTH ? found : `${found.slice(0, LENGTH)}…`;
}

/** Index of the line that names a traceback's exception: the first one that is not indented. */
function exceptionLine(lines: readonly string[], traceback: number): number {
  return lines.findIndex((line, index) => index > traceback && line !== "" && !/^\s/.test(line));
}

function pythonException(lines: readonly string[]): string | undefined {
  // A traceback inside a log message (`Lost task 0.0 …: Traceback …`) is of a task that may have been tried again since.
  const outer = lines.findLastIndex((line, index) => line === TRACEBACK && !isNested(lines, index));
  if (outer === -1) return undefined;
  const at = exceptionLine(lines, outer);
  const line = lines[at];
  if (line === undefined || !PYTHON.test(line)) return line === undefined ? undefined : javaException(lines);
  if (!CARRIER.test(line)) return line.replace(/:$/, "");
  return carried(lines, at) ?? line;
}

/** The traceback of an executor's Python stands at the start of a line when PySpark shows it as the text of its own exception. */
function isNested(lines: readonly string[], index: number): boolean {
  return /An exception was thrown from the Python worker/.test(lines[index - 1] ?? "");
}

/** What a carrier carries: an executor's Python exception, else the Java exception with its first words. */
function carried(lines: readonly string[], carrier: number): string | undefined {
  const nested = lines.findIndex((line, index) => index > carrier && line.trimEnd().endsWith(TRACEBACK));
  if (nested !== -1) {
    const line = lines[exceptionLine(lines, nested)];
    if (line !== undefined && PYTHON.test(line)) return line;
  }
  const java = lines.slice(carrier + 1, carrier + 3).find((line) => line.startsWith(": "));
  return telling([...(java === undefined ? [] : [java.slice(2)]), ...causes(lines.slice(carrier + 1))]);
}

function javaException(lines: readonly string[]): string | undefined {
  const head = lines.findLastIndex((line) => /^Exception in thread "/.test(line));
  if (head === -1) return undefined;
  const rest = lines.slice(head + 1);
  const end = rest.findIndex((line) => !isTrace(line));
  const first = (lines[head] ?? "").replace(/^Exception in thread "[^"]*" /, "");
  return telling([first, ...causes(end === -1 ? rest : rest.slice(0, end))]);
}

/** Flink's JobManager logs what its application ended with, in a line of one of these (2.3, before, and where it could not even begin). */
const FLINK = / (PackagedProgramApplication|ApplicationDispatcherBootstrap|ClusterEntrypoint): /;

function applicationFailure(lines: readonly string[]): string | undefined {
  const head = lines.findLastIndex((line, index) => JAVA.test(line) && FLINK.test(lines[index - 1] ?? ""));
  if (head === -1) return undefined;
  const rest = lines.slice(head + 1);
  const end = rest.findIndex((line) => !isTrace(line));
  return telling([lines[head] ?? "", ...causes(end === -1 ? rest : rest.slice(0, end))]);
}

const causes = (lines: readonly string[]): string[] =>
  lines.filter((line) => /^Caused by: /.test(line)).map((line) => line.replace(/^Caused by: /, ""));

/** The last of a chain of Java exceptions that says something; a bare `java.io.EOFException` at its end does not. */
function telling(chain: readonly string[]): string | undefined {
  const found = chain.findLast((text) => /^[\w.$]+: \S/.test(text)) ?? chain.at(-1);
  // `Job aborted due to stage failure: … Lost task 0.3 … (10.244.0.9 executor 0): the task's own exception`
  return found?.replace(/^.*Job aborted due to stage failure: .*\(\S+ executor \S+\): (?=\S)/, "");
}

/** A line of a Java stack trace: frames, causes, and the rest of a message of several lines. */
const isTrace = (line: string): boolean => !/^(\d{2,4}[/-]\d{2}[/-]\d{2}[ T])?\d{2}:\d{2}:\d{2}/.test(line);

/** Errors without a trace: of Python's parser, of spark-submit, of a missing script. */
function plainError(lines: readonly string[]): string | undefined {
  const line = lines.findLast(
    (text) =>
      /^(SyntaxError|IndentationError|TabError): /.test(text) ||
      /^(Error|error): /.test(text) ||
      /can't open file '/.test(text) ||
      / ERROR (SparkSubmit|SparkContext|Client|Utils|ApplicationMaster): ?/.test(text),
  );
  if (line === undefined) return undefined;
  const index = lines.lastIndexOf(line);
  const next = lines[index + 1];
  // Spark logs `ERROR SparkContext: Error initializing SparkContext.` and the exception on the next line.
  return next !== undefined && JAVA.test(next) ? next : line.replace(/^.* ERROR \w+: ?/, "");
}
