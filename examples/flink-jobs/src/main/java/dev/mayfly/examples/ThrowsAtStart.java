package dev.mayfly.examples;

/** A job whose main method throws before there is anything to execute. */
public final class ThrowsAtStart {
  private ThrowsAtStart() {}

  public static void main(String[] arguments) {
    throw new IllegalStateException("the price list of acme is missing");
  }
}
