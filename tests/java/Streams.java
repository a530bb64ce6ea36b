// Streams.java - a static initialiser waits for a parallel stream, whose lambda needs that class.
// SPDX-License-Identifier: MIT
import java.util.stream.IntStream;

public class Streams {
    static class Table {
        static final int SUM = IntStream.range(0, 10000).parallel().map(i -> i + scale()).sum();

        static int scale() {
            return 2;
        }
    }

    public static void main(String[] args) {
        System.out.println(Table.SUM);
    }
}
