package dev.mayfly.examples;

import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.serialization.SimpleStringEncoder;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.connector.source.util.ratelimit.RateLimiterStrategy;
import org.apache.flink.connector.datagen.source.DataGeneratorSource;
import org.apache.flink.connector.file.sink.FileSink;
import org.apache.flink.core.fs.Path;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.filesystem.bucketassigners.BasePathBucketAssigner;
import org.apache.flink.streaming.api.functions.sink.filesystem.rollingpolicies.OnCheckpointRollingPolicy;

/** Both ends of the counting streams. */
final class Numbers {
  private Numbers() {}

  /**
   * The numbers 0, 1, 2 and so on from one task, so many a second whatever the job's parallelism. How far it came is part of its state, so
   * it goes on from there. From {@code --until} on none gets through, but the stream lives on: then it is known what all counts come to.
   */
  static DataStream<Long> read(StreamExecutionEnvironment environment, Options options) {
    double rate = options.number("--rate", 100);
    long until = options.number("--until", Long.MAX_VALUE);
    // Flink divides a rate by the source's parallelism, also where only one of its tasks has numbers, as after a rescale.
    RateLimiterStrategy pace =
        parallelism -> RateLimiterStrategy.perSecond(rate * parallelism).createRateLimiter(parallelism);
    return environment
        .fromSource(
            new DataGeneratorSource<>(number -> number, Long.MAX_VALUE, pace, Types.LONG),
            WatermarkStrategy.noWatermarks(),
            "numbers")
        .uid("numbers")
        .setParallelism(1)
        .filter(number -> number < until)
        .name("until")
        .uid("until")
        .setParallelism(1);
  }

  /** Writes lines into files, each of which appears with the checkpoint that it belongs to: no line is lost, none is there twice. */
  static void write(DataStream<String> lines, Options options) {
    lines
        .sinkTo(
            FileSink.forRowFormat(new Path(options.output), new SimpleStringEncoder<String>())
                .withBucketAssigner(new BasePathBucketAssigner<>())
                .withRollingPolicy(OnCheckpointRollingPolicy.build())
                .build())
        .name("files")
        .uid("files");
  }
}
