package dev.mayfly.examples;

import org.apache.flink.api.common.functions.MapFunction;
import org.apache.flink.runtime.state.FunctionInitializationContext;
import org.apache.flink.runtime.state.FunctionSnapshotContext;
import org.apache.flink.streaming.api.checkpoint.CheckpointedFunction;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/**
 * A stream that takes {@code --seconds} for its part in each checkpoint and savepoint: for savepoints that come too late. Other arguments
 * as of {@link KeyedCounts}.
 */
public final class SlowSnapshots {
  private SlowSnapshots() {}

  public static void main(String[] arguments) throws Exception {
    Options options = new Options(arguments);
    StreamExecutionEnvironment environment = StreamExecutionEnvironment.getExecutionEnvironment();
    Numbers.write(
        Numbers.read(environment, options)
            .map(new Slow(options.number("--seconds", 600)))
            .setParallelism(1)
            .name("slow")
            .uid("slow"),
        options);
    environment.execute();
  }

  private static final class Slow implements MapFunction<Long, String>, CheckpointedFunction {
    private final long seconds;

    Slow(long seconds) {
      this.seconds = seconds;
    }

    @Override
    public String map(Long number) {
      return "0," + (number + 1) + "," + number;
    }

    @Override
    public void snapshotState(FunctionSnapshotContext context) throws InterruptedException {
      Thread.sleep(seconds * 1000);
    }

    @Override
    public void initializeState(FunctionInitializationContext context) {}
  }
}
