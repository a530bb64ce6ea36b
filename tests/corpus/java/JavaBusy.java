// JavaBusy.java - the twin of JavaMonitors: one thread keeps a monitor for long, and gives it back in the end.
// SPDX-License-Identifier: MIT
// forbid: deadlock stuck
// restless: a virtual machine works for itself now and then
// source: apache/accumulo#3759
class JavaBusy {
    static final Object monitor = new Object();

    public static void main(String[] args) throws Exception {
        Thread other = new Thread(() -> {
            synchronized (monitor) {
                System.out.println("at last");
            }
        });

        synchronized (monitor) {
            other.start();
            Thread.sleep(30000);
        }
        other.join();
    }
}
