// owners.go - Go programs in which methods and closures lock what they were given; the first argument says which.
// SPDX-License-Identifier: MIT
package main

import (
	"os"
	"sync"
	"time"
)

type store struct {
	name string
	mu   sync.Mutex
	rows map[string]int
}

type cache struct {
	mu    sync.RWMutex
	store *store
}

//go:noinline
func meet(both *sync.WaitGroup) {
	both.Done()
	both.Wait()
}

func (s *store) sync(c *cache, both *sync.WaitGroup) {
	s.mu.Lock()
	defer s.mu.Unlock()
	meet(both)
	c.mu.Lock()
	defer c.mu.Unlock()
}

func (c *cache) flush(both *sync.WaitGroup) {
	c.mu.Lock()
	defer c.mu.Unlock()
	meet(both)
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
}

func methods(both *sync.WaitGroup) {
	s := &store{rows: map[string]int{}}
	c := &cache{store: s}
	go s.sync(c, both)
	go c.flush(both)
}

func closures(both *sync.WaitGroup) {
	var left, right sync.Mutex
	go func() {
		left.Lock()
		defer left.Unlock()
		meet(both)
		right.Lock()
		defer right.Unlock()
	}()
	go func() {
		right.Lock()
		defer right.Unlock()
		meet(both)
		left.Lock()
		defer left.Unlock()
	}()
}

var never = make(chan int)

// Locks the store; forever: it is not unlocked any more.
//
//go:noinline
func (s *store) keep(forever bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if forever {
		<-never
	}
}

//go:noinline
func (s *store) wait(other *store) {
	s.mu.Lock()
	defer s.mu.Unlock()
	other.mu.Lock()
	defer other.mu.Unlock()
}

// One goroutine had the first store, for which it had to wait, and has the second; another has the first now.
func rounds() {
	first, second := &store{}, &store{}
	first.mu.Lock()
	go func() {
		first.keep(false)
		second.keep(true)
	}()
	time.Sleep(200 * time.Millisecond)
	first.mu.Unlock()
	time.Sleep(200 * time.Millisecond)
	go first.wait(second)
	time.Sleep(200 * time.Millisecond)
	go first.keep(false)
}

// What another goroutine, or a timer, is going to unlock belongs to nobody; how says by what.
func handed(how string) {
	s, c := &store{}, &cache{}
	s.mu.Lock()
	c.mu.RLock()
	ready := make(chan int)
	switch how {
	case "closure":
		go func() { <-ready; time.Sleep(time.Hour); s.mu.Unlock() }()
	case "deferred":
		go func() { defer s.mu.Unlock(); <-ready; time.Sleep(time.Hour) }()
	case "value":
		go func(f func()) { <-ready; time.Sleep(time.Hour); f() }(s.mu.Unlock)
	case "timer":
		time.AfterFunc(time.Hour, s.mu.Unlock)
	case "timerclosure":
		time.AfterFunc(time.Hour, func() { s.mu.Unlock() })
	case "reader":
		go func() { <-ready; time.Sleep(time.Hour); c.mu.RUnlock() }()
		close(ready)
		c.mu.Lock()
	case "worker":
		// It takes it first, and gives it back early: that is not to unlock what somebody else has.
		go func() {
			for range ready {
				s.mu.Lock()
				if s.name != "" {
					s.mu.Unlock()
					continue
				}
				s.name += "x"
				s.mu.Unlock()
			}
		}()
	}
	if how != "worker" {
		close(ready)
	}
	s.mu.Lock()
	ready <- 1
}

// Each of many goroutines waits for a mutex of its own, which main will unlock.
func apart() {
	locks := make([]sync.Mutex, 4000)
	for i := range locks {
		locks[i].Lock()
		go locks[i].Lock()
	}
	time.Sleep(time.Hour)
	for i := range locks {
		locks[i].Unlock()
	}
}

// Locks one mutex for each call on the stack.
func (s *store) nest(depth int) {
	inner := store{}
	s.mu.Lock()
	defer s.mu.Unlock()
	if depth == 0 {
		<-never
	}
	inner.nest(depth - 1)
}

// Two that are crossed, beside so many functions that lock something that they are not all gone through.
func nested(both *sync.WaitGroup) {
	for i := 0; i < 1100; i++ {
		go new(store).nest(20)
	}
	time.Sleep(100 * time.Millisecond)
	methods(both)
}

func main() {
	var both sync.WaitGroup
	both.Add(2)
	switch os.Args[1] {
	case "methods":
		methods(&both)
	case "closures":
		closures(&both)
	case "rounds":
		rounds()
	case "handed":
		go handed(os.Args[2])
	case "apart":
		apart()
	case "nested":
		nested(&both)
	}
	for {
		time.Sleep(time.Millisecond)
	}
}
