/* Cases.java - ways for the threads of a Java program to wait, one a run, for tests/e2e/languages/java.sh. */
/* SPDX-License-Identifier: MIT */
import java.util.concurrent.*;
import java.util.concurrent.locks.*;

public class Cases {
    static final Object audit = new Object(), ledger = new Object();
    static final ReentrantLock first = new ReentrantLock(), second = new ReentrantLock();
    static final CyclicBarrier both = new CyclicBarrier(2);

    interface Work {
        void run() throws Exception;
    }

    static void start(String name, Work work) {
        new Thread(() -> {
            try {
                work.run();
            } catch (Exception e) {
                throw new RuntimeException(e);
            }
        }, name).start();
    }

    static void transfer() throws Exception {
        synchronized (audit) {
            both.await();
            synchronized (ledger) { }
        }
    }

    static void report() throws Exception {
        synchronized (ledger) {
            both.await();
            synchronized (audit) { }
        }
    }

    static void left() throws Exception {
        first.lock();
        both.await();
        second.lock();
    }

    static void right() throws Exception {
        second.lock();
        both.await();
        first.lock();
    }

    static class Account {
        final Lock lock = new ReentrantLock();

        void deposit() throws Exception {
            lock.lock();
            both.await();
            synchronized (this) { }
        }

        synchronized void audit() throws Exception {
            both.await();
            lock.lock();
        }
    }

    static void join() throws Exception {
        Thread main = Thread.currentThread();
        Thread worker = new Thread(() -> {
            try {
                main.join();
            } catch (InterruptedException e) { }
        }, "worker");
        worker.start();
        worker.join();
    }

    static void latch() throws Exception {
        CountDownLatch done = new CountDownLatch(1);
        first.lock();
        start("worker", () -> {
            first.lock();
            done.countDown();
        });
        done.await();
    }

    static void child() throws Exception {
        String java = ProcessHandle.current().info().command().get();
        String path = System.getProperty("java.class.path");
        Process p = new ProcessBuilder(java, "-cp", path, "Cases", "flood").start();
        System.exit(p.waitFor());
    }

    static void flood() {
        System.out.write(new byte[200000], 0, 200000);
    }

    static void lost() throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(1);
        pool.submit(() -> pool.submit(() -> 1).get()).get();
    }

    static ExecutorService pool() throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(2);
        pool.submit(() -> 1).get();
        pool.submit(() -> 1).get();
        return pool;
    }

    /* The same two locks, always in one order: they are contended and never deadlock. */
    static void healthy() throws Exception {
        for (int i = 0; i < 4; i++)
            start("busy-" + i, () -> {
                for (int k = 0; k < 60; k++)
                    synchronized (audit) {
                        first.lock();
                        Thread.sleep(10);
                        first.unlock();
                    }
            });
    }

    public static void main(String[] args) throws Exception {
        Account account = new Account();

        switch (args[0]) {
        case "monitors":
            start("transfer", Cases::transfer);
            start("report", Cases::report);
            break;
        case "locks":
            start("left", Cases::left);
            start("right", Cases::right);
            break;
        case "mixed":
            start("deposit", account::deposit);
            start("audit", account::audit);
            break;
        case "queue":
            new LinkedBlockingQueue<String>().take();
            break;
        case "notify":
            synchronized (audit) {
                audit.wait();
            }
            break;
        case "join":
            join();
            break;
        case "latch":
            latch();
            break;
        case "child":
            child();
            break;
        case "flood":
            flood();
            break;
        case "lost":
            lost();
            break;
        case "pool":
            pool();
            break;
        case "server":
            pool();
            new java.net.ServerSocket(0).accept();
            break;
        case "rest":
            pool();
            Thread.currentThread().join();
            break;
        case "healthy":
            healthy();
            start("first", () -> Slow.touch());
            start("second", () -> Slow.touch());
            break;
        case "classes":
            start("left", () -> Left.touch());
            start("right", () -> Right.touch());
            break;
        case "parent":
            start("parent", () -> Shape.touch());
            start("child", Cases::circle);
            break;
        case "hook":
            hook();
            break;
        case "hookjoin":
            hookJoin();
            break;
        }
    }

    static void meet() {
        try {
            both.await();
        } catch (Exception e) {
            throw new RuntimeException(e);
        }
    }

    /* Each static initialiser needs the other class. */
    static class Left {
        static {
            meet();
            Right.touch();
        }

        static void touch() { }
    }

    static class Right {
        static {
            meet();
            Left.touch();
        }

        static void touch() { }
    }

    /* The parent's initialiser needs its child, which needs its parent first: no initialiser of the child runs yet. */
    static class Shape {
        static {
            meet();
            try {
                Thread.sleep(500);
            } catch (InterruptedException e) { }
            new Circle();
        }

        static void touch() { }
    }

    static class Circle extends Shape { }

    static void circle() throws Exception {
        both.await();
        new Circle();
    }

    /* Whoever needs it meanwhile only waits a while. */
    static class Slow {
        static {
            try {
                Thread.sleep(600);
            } catch (InterruptedException e) { }
        }

        static void touch() { }
    }

    /* Services that rest until they are told to end: by a latch, by the end of a worker. */
    static void hook() throws Exception {
        CountDownLatch stop = new CountDownLatch(1);
        LinkedBlockingQueue<String> jobs = new LinkedBlockingQueue<>();
        start("worker", () -> {
            while (!jobs.take().equals("stop")) { }
        });
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            jobs.add("stop");
            stop.countDown();
        }));
        stop.await();
    }

    static void hookJoin() throws Exception {
        LinkedBlockingQueue<String> jobs = new LinkedBlockingQueue<>();
        Thread worker = new Thread(() -> {
            try {
                while (!jobs.take().equals("stop")) { }
            } catch (InterruptedException e) { }
        }, "worker");
        worker.start();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> jobs.add("stop")));
        worker.join();
    }
}
