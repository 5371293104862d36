package dev.mayfly.examples;

import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.MapPartitionFunction;
import org.apache.flink.api.common.serialization.SimpleStringEncoder;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.connector.file.sink.FileSink;
import org.apache.flink.connector.file.src.FileSource;
import org.apache.flink.connector.file.src.reader.TextLineInputFormat;
import org.apache.flink.core.fs.Path;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.util.Collector;

/**
 * Counts the words of all texts under a folder and writes {@code word,count}. A word is a run of the letters A to Z, upper and lower case
 * alike; everything else parts words. Arguments: the folder to read, the folder to write, which is emptied first.
 */
public final class WordCount {
  private WordCount() {}

  public static void main(String[] arguments) throws Exception {
    if (arguments.length != 2) {
      throw new IllegalArgumentException("usage: WordCount <input folder> <output folder>");
    }
    Path output = new Path(arguments[1]);
    // The sink would add its files to those of a run before.
    output.getFileSystem().delete(output, true);
    StreamExecutionEnvironment environment = StreamExecutionEnvironment.getExecutionEnvironment();
    FileSource<String> texts =
        FileSource.forRecordStreamFormat(new TextLineInputFormat(), new Path(arguments[0])).build();
    environment
        .fromSource(texts, WatermarkStrategy.noWatermarks(), "texts")
        .fullWindowPartition()
        .mapPartition(new Words())
        .keyBy(word -> word.f0)
        .sum(1)
        .map(word -> word.f0 + "," + word.f1)
        .sinkTo(
            FileSink.forRowFormat(output, new SimpleStringEncoder<String>()).build());
    environment.execute();
  }

  /** Words in lower case, counted as far as one task sees them: that much less goes through the network and is sorted. */
  private static final class Words implements MapPartitionFunction<String, Tuple2<String, Long>> {
    private static final Pattern OTHER = Pattern.compile("[^A-Za-z]+");

    @Override
    public void mapPartition(Iterable<String> lines, Collector<Tuple2<String, Long>> out) {
      Map<String, Long> counts = new HashMap<>();
      for (String line : lines) {
        for (String word : OTHER.split(line)) {
          if (!word.isEmpty()) {
            counts.merge(word.toLowerCase(Locale.ROOT), 1L, Long::sum);
          }
        }
      }
      counts.forEach((word, count) -> out.collect(Tuple2.of(word, count)));
    }
  }
}
