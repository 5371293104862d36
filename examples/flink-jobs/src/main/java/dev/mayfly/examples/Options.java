package dev.mayfly.examples;

import java.util.HashMap;
import java.util.Map;

/** A job's arguments: the folder to write, then options with whole numbers, such as {@code --rate 200}. */
final class Options {
  final String output;
  private final Map<String, Long> numbers = new HashMap<>();

  Options(String[] arguments) {
    if (arguments.length % 2 == 0) {
      throw new IllegalArgumentException("usage: <output folder> [--name number]...");
    }
    output = arguments[0];
    for (int at = 1; at < arguments.length; at += 2) {
      numbers.put(arguments[at], Long.parseLong(arguments[at + 1]));
    }
  }

  long number(String name, long fallback) {
    return numbers.getOrDefault(name, fallback);
  }
}
