package dev.mayfly.examples;

import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.functions.RichMapFunction;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/**
 * An upgrade of {@link KeyedCounts} that can't read its state: it keeps the count as text. With {@code --renamed 1} also under another
 * operator's name, so that nobody takes the old state, which Flink refuses before anything runs unless told to leave it.
 */
public final class Incompatible {
  private Incompatible() {}

  public static void main(String[] arguments) throws Exception {
    Options options = new Options(arguments);
    long keys = options.number("--keys", 100);
    StreamExecutionEnvironment environment = StreamExecutionEnvironment.getExecutionEnvironment();
    Numbers.write(
        Numbers.read(environment, options)
            .keyBy(number -> number % keys)
            .map(new Count(keys))
            .name("count as text")
            .uid(options.number("--renamed", 0) == 0 ? "count" : "count-as-text"),
        options);
    environment.execute();
  }

  private static final class Count extends RichMapFunction<Long, String> {
    private final long keys;
    private transient ValueState<String> count;

    Count(long keys) {
      this.keys = keys;
    }

    @Override
    public void open(OpenContext context) {
      count = getRuntimeContext().getState(new ValueStateDescriptor<>("count", Types.STRING));
    }

    @Override
    public String map(Long number) throws Exception {
      String before = count.value();
      String now = String.valueOf(before == null ? 1 : Long.parseLong(before) + 1);
      count.update(now);
      return number % keys + "," + now + "," + number;
    }
  }
}
