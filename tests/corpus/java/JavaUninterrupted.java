// JavaUninterrupted.java - two threads want each other's lock; a third one goes on, but no interrupt ends such a wait.
// SPDX-License-Identifier: MIT
// expect: deadlock
// restless: a virtual machine works for itself now and then
// source: java.util.concurrent.locks.Lock.lock
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.ReentrantLock;

class JavaUninterrupted {
    static final ReentrantLock left = new ReentrantLock(), right = new ReentrantLock();
    static final CountDownLatch both = new CountDownLatch(2);

    static void take(ReentrantLock first, ReentrantLock second) {
        first.lock();
        try {
            both.countDown();
            both.await();
            second.lock();
            second.unlock();
        } catch (InterruptedException e) {
            System.out.println("never");
        } finally {
            first.unlock();
        }
    }

    public static void main(String[] args) throws Exception {
        Thread one = new Thread(() -> take(left, right));
        Thread two = new Thread(() -> take(right, left));

        one.start();
        two.start();
        Thread.sleep(2000);
        one.interrupt();
        two.interrupt();
        Thread.sleep(Long.MAX_VALUE);
    }
}
