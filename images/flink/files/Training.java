import java.time.Duration;
import java.util.Locale;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.functions.RichMapFunction;
import org.apache.flink.api.common.serialization.SimpleStringEncoder;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.connector.source.util.ratelimit.RateLimiterStrategy;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.connector.datagen.source.DataGeneratorSource;
import org.apache.flink.connector.file.sink.FileSink;
import org.apache.flink.connector.file.src.FileSource;
import org.apache.flink.connector.file.src.reader.TextLineInputFormat;
import org.apache.flink.core.fs.Path;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.streaming.api.functions.sink.filesystem.rollingpolicies.OnCheckpointRollingPolicy;
import org.apache.flink.streaming.api.windowing.assigners.TumblingEventTimeWindows;
import org.apache.flink.util.Collector;

/**
 * What usual jobs do, so that the classes which they make Flink load get into the class-data archive (archives.py): a stream with keyed
 * state, timers and windows, and a batch that reads texts; both write files. Arguments: stream or batch, folder to read, folder to write.
 */
public final class Training {
  public static void main(String[] arguments) throws Exception {
    StreamExecutionEnvironment environment = StreamExecutionEnvironment.getExecutionEnvironment();
    if (arguments[0].equals("stream")) {
      stream(environment, arguments[2]);
    } else {
      batch(environment, arguments[1], arguments[2]);
    }
    environment.execute();
  }

  private static void stream(StreamExecutionEnvironment environment, String output) {
    environment
        .fromSource(
            new DataGeneratorSource<>(
                number -> number, Long.MAX_VALUE, RateLimiterStrategy.perSecond(200), Types.LONG),
            WatermarkStrategy.<Long>forMonotonousTimestamps()
                .withTimestampAssigner((number, before) -> number % 1_000_000 * 10),
            "numbers")
        .uid("numbers")
        .keyBy(number -> number % 10)
        .map(new Count())
        .uid("count")
        .keyBy(counted -> counted.f0)
        .process(new Timed())
        .uid("timed")
        .keyBy(counted -> counted.f0)
        .window(TumblingEventTimeWindows.of(Duration.ofSeconds(1)))
        .reduce((left, right) -> Tuple2.of(left.f0, left.f1 + right.f1))
        .uid("window")
        .map(Tuple2::toString)
        .sinkTo(
            FileSink.forRowFormat(new Path(output), new SimpleStringEncoder<String>())
                .withRollingPolicy(OnCheckpointRollingPolicy.build())
                .build())
        .uid("files");
  }

  private static void batch(StreamExecutionEnvironment environment, String input, String output) {
    environment
        .fromSource(
            FileSource.forRecordStreamFormat(new TextLineInputFormat(), new Path(input)).build(),
            WatermarkStrategy.noWatermarks(),
            "texts")
        .flatMap(
            (String line, Collector<Tuple2<String, Long>> out) -> {
              for (String word : line.split("\\W+")) {
                out.collect(Tuple2.of(word.toLowerCase(Locale.ROOT), 1L));
              }
            })
        .returns(Types.TUPLE(Types.STRING, Types.LONG))
        .keyBy(word -> word.f0)
        .sum(1)
        .map(Tuple2::toString)
        .sinkTo(FileSink.forRowFormat(new Path(output), new SimpleStringEncoder<String>()).build());
  }

  private static final class Count extends RichMapFunction<Long, Tuple2<Long, Long>> {
    private transient ValueState<Long> count;

    @Override
    public void open(OpenContext context) {
      count = getRuntimeContext().getState(new ValueStateDescriptor<>("count", Types.LONG));
    }

    @Override
    public Tuple2<Long, Long> map(Long number) throws Exception {
      Long before = count.value();
      count.update(before == null ? 1 : before + 1);
      return Tuple2.of(number % 10, count.value());
    }
  }

  private static final class Timed extends KeyedProcessFunction<Long, Tuple2<Long, Long>, Tuple2<Long, Long>> {
    private transient MapState<Long, String> names;
    private transient ListState<Long> times;

    @Override
    public void open(OpenContext context) {
      names = getRuntimeContext().getMapState(new MapStateDescriptor<>("names", Types.LONG, Types.STRING));
      times = getRuntimeContext().getListState(new ListStateDescriptor<>("times", Types.LONG));
    }

    @Override
    public void processElement(Tuple2<Long, Long> counted, Context context, Collector<Tuple2<Long, Long>> out)
        throws Exception {
      names.put(counted.f1 % 7, "name");
      context.timerService().registerEventTimeTimer(context.timestamp() + 50);
      context.timerService().registerProcessingTimeTimer(context.timerService().currentProcessingTime() + 100);
      out.collect(counted);
    }

    @Override
    public void onTimer(long time, OnTimerContext context, Collector<Tuple2<Long, Long>> out) throws Exception {
      times.update(java.util.List.of(time));
      for (Long name : names.keys()) {
        names.get(name);
      }
    }
  }
}
