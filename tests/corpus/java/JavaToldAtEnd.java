// JavaToldAtEnd.java - a program waits for a child that reads from it, and whose input a shutdown hook closes.
// SPDX-License-Identifier: MIT
// forbid: deadlock
// source: the API of java.lang.Runtime.addShutdownHook; the way in which wrappers stop what they have started
import java.io.IOException;

public class JavaToldAtEnd {
	public static void main(String[] args) throws Exception {
		Process child = new ProcessBuilder("cat").start();
		Runtime.getRuntime().addShutdownHook(new Thread(() -> {
			try {
				child.getOutputStream().close();
			} catch (IOException e) {
				System.err.println(e);
			}
		}));
		child.waitFor();
	}
}
