// JavaInterrupted.java - two threads want each other's lock in a way that heeds interrupts; after a while the main thread interrupts one.
// SPDX-License-Identifier: MIT
// forbid: deadlock
// restless: a virtual machine works for itself now and then
// source: java.util.concurrent.locks.Lock.lockInterruptibly, java.util.concurrent.Future.cancel
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.ReentrantLock;

class JavaInterrupted {
    static final ReentrantLock left = new ReentrantLock(), right = new ReentrantLock();
    static final CountDownLatch both = new CountDownLatch(2);

    static void take(ReentrantLock first, ReentrantLock second) {
        try {
            first.lockInterruptibly();
            try {
                both.countDown();
                both.await();
                second.lockInterruptibly();
                second.unlock();
            } finally {
                first.unlock();
            }
        } catch (InterruptedException e) {
            System.out.println("gave up");
        }
    }

    public static void main(String[] args) throws Exception {
        Thread one = new Thread(() -> take(left, right));
        Thread two = new Thread(() -> take(right, left));

        one.start();
        two.start();
        Thread.sleep(6000);
        two.interrupt();
        one.join();
        two.join();
    }
}
