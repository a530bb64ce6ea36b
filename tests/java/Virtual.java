// Virtual threads, through reflection: built for releases that have none.
// SPDX-License-Identifier: MIT
import java.net.ServerSocket;
import java.util.concurrent.CountDownLatch;

public class Virtual {
    static void start(Runnable work) throws Exception {
        Thread.class.getMethod("startVirtualThread", Runnable.class).invoke(null, work);
    }

    static void lock(Object first, Object second, CountDownLatch both) {
        synchronized (first) {
            both.countDown();
            try {
                both.await();
            } catch (InterruptedException e) {
                return;
            }
            synchronized (second) { // inner
            }
        }
    }

    public static void main(String[] args) throws Exception {
        CountDownLatch done = new CountDownLatch(1), both = new CountDownLatch(2);
        ServerSocket socket = new ServerSocket(0);
        Object audit = new Object(), ledger = new Object();
        if (args[0].equals("accept")) {
            start(() -> {
                try {
                    socket.accept();
                } catch (java.io.IOException e) {
                }
                done.countDown();
            });
        } else {
            start(() -> lock(audit, ledger, both));
            start(() -> lock(ledger, audit, both));
        }
        done.await();
    }
}
