// JavaAsksItself.java - a request to one's own HttpServer within a monitor that the handler wants.
// SPDX-License-Identifier: MIT
// expect: stuck
// source: com.sun.net.httpserver.HttpServer with a pool, whose handler synchronizes on what its own client holds
// misses: shim why   who has read what was asked is not known there, and a timer's thread, too, might answer
import com.sun.net.httpserver.HttpServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URL;
import java.util.concurrent.Executors;

public class JavaAsksItself {
    static final Object lock = new Object();

    public static void main(String[] args) throws Exception {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);

        server.setExecutor(Executors.newFixedThreadPool(4));
        server.createContext("/", exchange -> {
            synchronized (lock) {
                exchange.sendResponseHeaders(204, -1);
                exchange.close();
            }
        });
        server.start();
        synchronized (lock) {
            new URL("http://127.0.0.1:" + server.getAddress().getPort() + "/").openStream().read();
        }
    }
}
