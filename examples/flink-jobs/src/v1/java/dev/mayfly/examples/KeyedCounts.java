package dev.mayfly.examples;

import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.functions.RichMapFunction;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/**
 * Counts numbers by their rest after division by {@code --keys} and writes {@code key,count,number}. The counts of a key go up by one and
 * each number appears once, whatever was suspended, moved, rescaled or killed in between; examples/flink-stream/check.ts proves it.
 * Arguments: the folder to write, {@code --rate} numbers a second (100), {@code --keys} (100), {@code --until} which number (no end).
 */
public final class KeyedCounts {
  private KeyedCounts() {}

  public static void main(String[] arguments) throws Exception {
    Options options = new Options(arguments);
    long keys = options.number("--keys", 100);
    StreamExecutionEnvironment environment = StreamExecutionEnvironment.getExecutionEnvironment();
    Numbers.write(
        Numbers.read(environment, options)
            .keyBy(number -> number % keys)
            .map(new Count(keys))
            .name("count")
            .uid("count"),
        options);
    environment.execute();
  }

  private static final class Count extends RichMapFunction<Long, String> {
    private final long keys;
    private transient ValueState<Long> count;

    Count(long keys) {
      this.keys = keys;
    }

    @Override
    public void open(OpenContext context) {
      count = getRuntimeContext().getState(new ValueStateDescriptor<>("count", Types.LONG));
    }

    @Override
    public String map(Long number) throws Exception {
      Long before = count.value();
      long now = before == null ? 1 : before + 1;
      count.update(now);
      return number % keys + "," + now + "," + number;
    }
  }
}
