package dev.mayfly.examples;

import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.functions.RichMapFunction;
import org.apache.flink.api.common.serialization.SimpleStringEncoder;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.connector.source.lib.NumberSequenceSource;
import org.apache.flink.connector.file.sink.FileSink;
import org.apache.flink.core.fs.Path;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.filesystem.rollingpolicies.OnCheckpointRollingPolicy;

/**
 * Numbers from 1 on without an end, counted by their rest after division by 100: writes {@code key,count,number}. Each number appears once
 * and counts of a key go up by one, whatever was suspended or lost in between, or state was not kept exactly once. Arguments: the folder
 * to write, and numbers a second in each parallel task.
 */
public final class KeyedCounts {
  private static final int KEYS = 100;

  private KeyedCounts() {}

  public static void main(String[] arguments) throws Exception {
    if (arguments.length != 2) {
      throw new IllegalArgumentException("usage: KeyedCounts <output folder> <numbers a second>");
    }
    long pause = 1000L / Math.max(1, Math.min(1000, Long.parseLong(arguments[1])));
    StreamExecutionEnvironment environment = StreamExecutionEnvironment.getExecutionEnvironment();
    environment
        .fromSource(
            new NumberSequenceSource(1, Long.MAX_VALUE), WatermarkStrategy.noWatermarks(), "numbers")
        .uid("numbers")
        .map(
            number -> {
              Thread.sleep(pause);
              return number;
            })
        .uid("pace")
        .keyBy(number -> number % KEYS)
        .map(new Count())
        .uid("count")
        .sinkTo(
            FileSink.forRowFormat(new Path(arguments[0]), new SimpleStringEncoder<String>())
                .withRollingPolicy(OnCheckpointRollingPolicy.build())
                .build())
        .uid("files");
    environment.execute();
  }

  /** How many numbers of a key there were so far. */
  private static final class Count extends RichMapFunction<Long, String> {
    private transient ValueState<Long> count;

    @Override
    public void open(OpenContext context) {
      count = getRuntimeContext().getState(new ValueStateDescriptor<>("count", Types.LONG));
    }

    @Override
    public String map(Long number) throws Exception {
      Long before = count.value();
      long now = before == null ? 1 : before + 1;
      count.update(now);
      return number % KEYS + "," + now + "," + number;
    }
  }
}
