// asks.go - Go programs that ask themselves over TCP or HTTP; the first argument says which.
// SPDX-License-Identifier: MIT
package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"time"
)

type registry struct {
	mu    sync.Mutex
	count int
}

var (
	known registry
	other sync.Mutex
	base  string
)

// The page that the others need.
func (r *registry) show(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fmt.Fprintln(w, r.count)
}

func slow(w http.ResponseWriter, req *http.Request) {
	time.Sleep(time.Hour)
}

func (r *registry) showSlowly(w http.ResponseWriter, req *http.Request) {
	other.Lock()
	defer other.Unlock()
	fmt.Fprintln(w, r.count)
}

// Hands the request to somebody who answers in an hour, and waits for what the client has.
func (r *registry) handOver(w http.ResponseWriter, req *http.Request) {
	go func() {
		time.Sleep(time.Hour)
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush()
	}()
	r.mu.Lock()
	defer r.mu.Unlock()
}

// Asks another page while it has the mutex.
func (r *registry) fetch(c *http.Client, page string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	answer, err := c.Get(base + page)
	if err != nil {
		fmt.Println(err)
		return
	}
	io.Copy(io.Discard, answer.Body)
	answer.Body.Close()
}

// A page that is made of another one.
func (r *registry) report(w http.ResponseWriter, req *http.Request) {
	r.fetch(http.DefaultClient, "/show")
}

func listen() net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		os.Exit(1)
	}
	return l
}

func serve() {
	l := listen()
	base = "http://" + l.Addr().String()
	mux := http.NewServeMux()
	mux.HandleFunc("/show", known.show)
	mux.HandleFunc("/slow", slow)
	mux.HandleFunc("/showSlowly", known.showSlowly)
	mux.HandleFunc("/handOver", known.handOver)
	mux.HandleFunc("/report", known.report)
	go http.Serve(l, mux)
}

func request() {
	known.fetch(http.DefaultClient, "/show")
}

// A page asks, for somebody who has asked the server; others tick, and wait for a signal.
func page() {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt)
	go func() {
		for range time.Tick(time.Hour) {
		}
	}()
	go http.Get(base + "/report")
	<-stop
}

// For a while only.
func timed() {
	known.fetch(&http.Client{Timeout: time.Hour}, "/show")
}

// The first answer leaves the connection open, on which the second is awaited.
func again() {
	answer, err := http.Get(base + "/show")
	if err != nil {
		os.Exit(1)
	}
	io.Copy(io.Discard, answer.Body)
	answer.Body.Close()
	known.fetch(http.DefaultClient, "/show")
}

// The handler sleeps.
func sleeps() {
	known.fetch(http.DefaultClient, "/slow")
}

// The handler wants what somebody else has.
func otherMutex() {
	taken := make(chan bool)
	go func() {
		other.Lock()
		defer other.Unlock()
		taken <- true
		time.Sleep(time.Hour)
	}()
	<-taken
	known.fetch(http.DefaultClient, "/showSlowly")
}

func handedOver() {
	known.fetch(http.DefaultClient, "/handOver")
}

// The connection is kept, and nothing is asked.
func idle() {
	answer, err := http.Get(base + "/show")
	if err != nil {
		os.Exit(1)
	}
	io.Copy(io.Discard, answer.Body)
	answer.Body.Close()
	known.mu.Lock()
	go http.Get(base + "/show")
	time.Sleep(time.Hour)
}

// A server of its own protocol.
func answerLines(c net.Conn) {
	defer c.Close()
	for lines := bufio.NewScanner(c); lines.Scan(); {
		known.mu.Lock()
		fmt.Fprintln(c, known.count)
		known.mu.Unlock()
	}
}

func line() {
	l := listen()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				os.Exit(1)
			}
			go answerLines(c)
		}
	}()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		os.Exit(1)
	}
	known.mu.Lock()
	defer known.mu.Unlock()
	fmt.Fprintln(c, "count")
	bufio.NewReader(c).ReadString('\n')
}

func main() {
	serve()
	map[string]func(){"request": request, "page": page, "timed": timed, "again": again, "sleeps": sleeps,
		"otherMutex": otherMutex, "handedOver": handedOver, "idle": idle, "line": line}[os.Args[1]]()
}
