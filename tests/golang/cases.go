// cases.go - Go programs whose goroutines wait, in many ways; the first argument says which.
// SPDX-License-Identifier: MIT
package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

var audit, ledger sync.Mutex

type account struct {
	name string
	mu   sync.Mutex
	sum  int
}

func transfer(both *sync.WaitGroup) {
	ledger.Lock()
	defer ledger.Unlock()
	meet(both)
	audit.Lock()
	audit.Unlock()
}

func report(both *sync.WaitGroup) {
	audit.Lock()
	meet(both)
	ledger.Lock()
	ledger.Unlock()
	audit.Unlock()
}

func (a *account) move(to *account, both *sync.WaitGroup) {
	a.mu.Lock()
	meet(both)
	to.mu.Lock()
	to.sum++
	to.mu.Unlock()
	a.mu.Unlock()
}

//go:noinline
func meet(both *sync.WaitGroup) {
	both.Done()
	both.Wait()
}

func start(names ...func(*sync.WaitGroup)) {
	var both sync.WaitGroup
	both.Add(len(names))
	for _, f := range names {
		go f(&both)
	}
}

// A goroutine that lives, and prints when the others have had their time.
func live() {
	fmt.Println("ready")
	for {
		time.Sleep(100 * time.Millisecond)
	}
}

func again() {
	audit.Lock()
	defer audit.Unlock()
	more()
}

//go:noinline
func more() {
	audit.Lock()
	audit.Unlock()
}

func child() {
	if len(os.Args) > 2 {
		os.Stderr.Write(bytes.Repeat([]byte("x"), 1<<20))
		os.Exit(0)
	}
	c := exec.Command(os.Args[0], "child", "flood")
	out, err := c.StderrPipe()
	if err != nil || c.Start() != nil {
		os.Exit(1)
	}
	fmt.Println("ready")
	c.Wait()
	out.Close()
}

func server() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		os.Exit(1)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go c.Close()
		}
	}()
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt)
	fmt.Println("ready")
	<-stop
}

// Workers that have nothing to do, and a server that may give them some.
func pool() {
	jobs := make(chan int)
	var done sync.WaitGroup
	for i := 0; i < 4; i++ {
		done.Add(1)
		go func() {
			defer done.Done()
			for range jobs {
			}
		}()
	}
	server()
	close(jobs)
	done.Wait()
}

// Two locks, always in this order, and much contention.
func healthy() {
	var left sync.WaitGroup
	for i := 0; i < 8; i++ {
		left.Add(1)
		go func() {
			defer left.Done()
			for k := 0; ; k++ {
				audit.Lock()
				ledger.Lock()
				if k%100 == 0 {
					time.Sleep(time.Millisecond)
				}
				ledger.Unlock()
				audit.Unlock()
			}
		}()
	}
	fmt.Println("ready")
	left.Wait()
}

// Workers of a queue that nobody feeds. That signals are caught keeps Go itself from saying that all are asleep.
func feed() {
	jobs := make(chan int)
	var done sync.WaitGroup
	signal.Notify(make(chan os.Signal, 1), syscall.SIGUSR1)
	done.Add(1)
	go func() {
		defer done.Done()
		for range jobs {
		}
	}()
	done.Wait()
}

// Each waits for the other's end.
func joins() {
	var first, second sync.WaitGroup
	signal.Notify(make(chan os.Signal, 1), syscall.SIGUSR1)
	first.Add(1)
	second.Add(1)
	go func() {
		defer first.Done()
		second.Wait()
	}()
	go func() {
		defer second.Done()
		first.Wait()
	}()
	first.Wait()
}

func many() {
	var never = make(chan int)
	for i := 0; i < 1000; i++ {
		go func() { <-never }()
	}
	closeLater(never)
}

func main() {
	switch os.Args[1] {
	case "cross":
		start(transfer, report)
		live()
	case "accounts":
		a, b := &account{name: "a"}, &account{name: "b"}
		start(func(both *sync.WaitGroup) { a.move(b, both) }, func(both *sync.WaitGroup) { b.move(a, both) })
		live()
	case "again":
		go again()
		live()
	case "child":
		child()
	case "feed":
		feed()
	case "joins":
		joins()
	case "server":
		server()
	case "pool":
		pool()
	case "healthy":
		healthy()
	case "many":
		many()
	case "once":
		go config.Do(func() { configure() })
		live()
	case "oncecross":
		go config.Do(onceSlow)
		go onceHolder()
		live()
	case "reread":
		go reader()
		go writer()
		live()
	case "upgrade":
		go upgrade()
		live()
	case "readwrite":
		start(store, lookup)
		live()
	case "readers":
		readers()
	case "grouplock":
		go groupLock()
		live()
	case "groupforgot":
		go groupForgot()
		live()
	case "leaked":
		go ask()
		live()
	case "answered":
		go askAll()
		live()
	case "condlost":
		go newShelf().take()
		live()
	case "condnested":
		go nested(newShelf())
		live()
	case "condfed":
		condFed()
		live()
	}
}

// What is done once, and waits for itself; for somebody who waits for it.
var config sync.Once

//go:noinline
func configure() {
	config.Do(func() {})
}

func onceSlow() {
	time.Sleep(200 * time.Millisecond)
	audit.Lock()
	audit.Unlock()
}

func onceHolder() {
	audit.Lock()
	defer audit.Unlock()
	time.Sleep(100 * time.Millisecond)
	config.Do(onceSlow)
}

var table sync.RWMutex

// Reads again while a writer waits, who lets no new reader in.
func reader() {
	table.RLock()
	defer table.RUnlock()
	time.Sleep(200 * time.Millisecond)
	rereads()
}

//go:noinline
func rereads() {
	table.RLock()
	defer table.RUnlock()
}

func writer() {
	time.Sleep(100 * time.Millisecond)
	table.Lock()
	defer table.Unlock()
}

func upgrade() {
	table.RLock()
	defer table.RUnlock()
	table.Lock()
	table.Unlock()
}

func store(both *sync.WaitGroup) {
	table.Lock()
	defer table.Unlock()
	meet(both)
	audit.Lock()
	audit.Unlock()
}

func lookup(both *sync.WaitGroup) {
	audit.Lock()
	defer audit.Unlock()
	meet(both)
	table.RLock()
	table.RUnlock()
}

// Readers who come and go, a writer now and then, and somebody who waits for what is done once but takes its time.
func readers() {
	for i := 0; i < 4; i++ {
		go func() {
			for {
				table.RLock()
				time.Sleep(time.Millisecond)
				table.RUnlock()
				config.Do(func() { time.Sleep(2 * time.Second) })
			}
		}()
	}
	go func() {
		for {
			table.Lock()
			time.Sleep(time.Millisecond)
			table.Unlock()
		}
	}()
	live()
}

// Waits for a goroutine that needs the mutex which it holds itself.
func groupLock() {
	var group sync.WaitGroup
	audit.Lock()
	defer audit.Unlock()
	group.Add(1)
	go func() {
		defer group.Done()
		audit.Lock()
		defer audit.Unlock()
	}()
	group.Wait()
}

// One Done is forgotten.
func groupForgot() {
	var group sync.WaitGroup
	group.Add(2)
	go group.Done()
	group.Wait()
}

// Asks, and does not wait for the answer: nobody takes it from who answers.
func ask() {
	answer := make(chan int)
	go func() { answer <- 42 }()
}

var questions = make(chan chan int)

// What is asked is kept by somebody who will answer, and in a map that all can reach.
func askAll() {
	open := map[int]chan int{}
	for i := 0; i < 10; i++ {
		open[i] = make(chan int)
		go func(answer chan int) { <-answer }(open[i])
	}
	go func() {
		for q := range questions {
			open[len(open)] = q
		}
	}()
}

func closeLater(c chan int) {
	time.Sleep(time.Hour)
	close(c)
}

type shelf struct {
	mu     sync.Mutex
	filled *sync.Cond
	n      int
}

func newShelf() *shelf {
	s := &shelf{}
	s.filled = sync.NewCond(&s.mu)
	return s
}

// Nobody has the condition but who waits for it.
func (s *shelf) take() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.n == 0 {
		s.filled.Wait()
	}
	s.n--
}

func (s *shelf) put() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n++
	s.filled.Signal()
}

// Waits under a lock for somebody who wants that lock first.
func nested(s *shelf) {
	audit.Lock()
	defer audit.Unlock()
	go func() {
		audit.Lock()
		defer audit.Unlock()
		s.put()
	}()
	s.take()
}

var shelves = map[string]*shelf{}

// One that all can find, one that a timer has, one that a goroutine has which sleeps.
func condFed() {
	shelves["first"] = newShelf()
	for i := 0; i < 3; i++ {
		go shelves["first"].take()
	}
	timed := newShelf()
	go timed.take()
	time.AfterFunc(time.Hour, timed.put)
	slow := newShelf()
	go slow.take()
	go func() {
		time.Sleep(time.Hour)
		slow.put()
	}()
}
