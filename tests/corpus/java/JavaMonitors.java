// JavaMonitors.java - two threads enter two monitors in opposite orders.
// SPDX-License-Identifier: MIT
// expect: deadlock
// restless: a virtual machine works for itself now and then
// source: apache/accumulo#3759, ajanata/PretendYoureXyzzy#28, glowroot/glowroot#264
import java.util.concurrent.CyclicBarrier;

class JavaMonitors {
    static final Object left = new Object(), right = new Object();
    static final CyclicBarrier both = new CyclicBarrier(2);

    static void take(Object first, Object second) {
        synchronized (first) {
            try {
                both.await();
            } catch (Exception e) {
                return;
            }
            synchronized (second) {
                System.out.println("never");
            }
        }
    }

    public static void main(String[] args) {
        new Thread(() -> take(left, right)).start();
        take(right, left);
    }
}
