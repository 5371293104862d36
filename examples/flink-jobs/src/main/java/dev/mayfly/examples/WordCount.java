package dev.mayfly.examples;

import java.util.Locale;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.FlatMapFunction;
import org.apache.flink.api.common.serialization.SimpleStringEncoder;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.connector.file.sink.FileSink;
import org.apache.flink.connector.file.src.FileSource;
import org.apache.flink.connector.file.src.reader.TextLineInputFormat;
import org.apache.flink.core.fs.Path;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.util.Collector;

/**
 * Counts the words of all texts under a folder and writes {@code word,count}. A word is a run of the letters A to Z, upper and lower case
 * alike; everything else parts words. Arguments: the folder to read, the folder to write.
 */
public final class WordCount {
  private WordCount() {}

  public static void main(String[] arguments) throws Exception {
    if (arguments.length != 2) {
      throw new IllegalArgumentException("usage: WordCount <input folder> <output folder>");
    }
    StreamExecutionEnvironment environment = StreamExecutionEnvironment.getExecutionEnvironment();
    FileSource<String> texts =
        FileSource.forRecordStreamFormat(new TextLineInputFormat(), new Path(arguments[0])).build();
    environment
        .fromSource(texts, WatermarkStrategy.noWatermarks(), "texts")
        .flatMap(new Words())
        .returns(Types.TUPLE(Types.STRING, Types.LONG))
        .keyBy(word -> word.f0)
        .sum(1)
        .map(word -> word.f0 + "," + word.f1)
        .sinkTo(
            FileSink.forRowFormat(new Path(arguments[1]), new SimpleStringEncoder<String>()).build());
    environment.execute();
  }

  /** Words in lower case, each with 1. */
  private static final class Words implements FlatMapFunction<String, Tuple2<String, Long>> {
    @Override
    public void flatMap(String line, Collector<Tuple2<String, Long>> out) {
      for (String word : line.split("[^A-Za-z]+")) {
        if (!word.isEmpty()) {
          out.collect(Tuple2.of(word.toLowerCase(Locale.ROOT), 1L));
        }
      }
    }
  }
}
