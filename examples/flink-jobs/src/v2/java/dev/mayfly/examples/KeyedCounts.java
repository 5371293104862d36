package dev.mayfly.examples;

import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.functions.RichMapFunction;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple3;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/**
 * The second version of the counting stream: goes on from the first one's state and also sums up what it counted, in an operator that is
 * new. Writes {@code key,count,number,sum}.
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
            .uid("count")
            .keyBy(counted -> counted.f0)
            .map(new Sum())
            .name("sum")
            .uid("sum"),
        options);
    environment.execute();
  }

  /** Same name of operator and state, same type of state: what the first version saved is taken over. */
  private static final class Count extends RichMapFunction<Long, Tuple3<Long, Long, Long>> {
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
    public Tuple3<Long, Long, Long> map(Long number) throws Exception {
      Long before = count.value();
      long now = before == null ? 1 : before + 1;
      count.update(now);
      return Tuple3.of(number % keys, now, number);
    }
  }

  /** A sum since this version has been running, as the first one kept none. */
  private static final class Sum extends RichMapFunction<Tuple3<Long, Long, Long>, String> {
    private transient ValueState<Long> sum;

    @Override
    public void open(OpenContext context) {
      sum = getRuntimeContext().getState(new ValueStateDescriptor<>("sum", Types.LONG));
    }

    @Override
    public String map(Tuple3<Long, Long, Long> counted) throws Exception {
      Long before = sum.value();
      long now = (before == null ? 0 : before) + counted.f2;
      sum.update(now);
      return counted.f0 + "," + counted.f1 + "," + counted.f2 + "," + now;
    }
  }
}
