// stacks.go - Go programs in which words are left on stacks that no code will read again, for tests/e2e/languages/golang.sh.
// SPDX-License-Identifier: MIT
package main

import (
	"fmt"
	"os"
	"reflect"
	"sync"
	"time"
)

type job struct {
	n     int
	reply chan int
}

type counter struct {
	mu sync.Mutex
	n  int
}

func live() {
	for {
		time.Sleep(time.Second)
	}
}

// The channel has been passed on, and is not looked at again: nobody can receive from it.
func stale() {
	c := make(chan *job)
	go func() { c <- &job{n: 1} }()
	r := make(chan int)
	go func() { r <- 7 }()
	fmt.Println(<-r)
	live()
}

// The same channel, which somebody will look at.
func read() {
	c := make(chan *job)
	go func() { c <- &job{n: 1} }()
	time.Sleep(time.Hour)
	fmt.Println(<-c)
}

// The channel lies in a variable on the stack, to which a pointer leads.
func pointed() {
	var pair struct{ a, b chan int }
	pair.a = make(chan int)
	pair.b = make(chan int)
	p := &pair
	go func(c chan int) { c <- 1 }(pair.b)
	later(&p)
	fmt.Println(<-p.b)
}

//go:noinline
func later(p **struct{ a, b chan int }) {
	time.Sleep(time.Hour)
	fmt.Println(<-(*p).a)
}

// A function that is to be called in the end has it.
func deferred() {
	c := make(chan int)
	go func() { c <- 1 }()
	defer func() { fmt.Println(<-c) }()
	time.Sleep(time.Hour)
}

func (c counter) add() {
	c.mu.Lock()
	c.n++
}

// A mutex was copied while it was locked: nobody will unlock the copy.
func copied() {
	c := &counter{}
	c.mu.Lock()
	d := *c
	c.mu.Unlock()
	done := make(chan bool)
	go func() {
		d.add()
		done <- true
	}()
	go live()
	<-done
}

// A channel that begins where the runtime begins to divide new memory: it notes that address, which is no pointer.
//
//go:noinline
func first() chan int {
	var others []chan int
	for {
		c := make(chan int)
		if reflect.ValueOf(c).Pointer()%(512<<10) == 0 {
			return c
		}
		others = append(others, c)
	}
}

func noted() {
	go func(c chan int) { c <- 1 }(first())
	live()
}

// Timers have the channels: one that sends itself, and one that a function is called by.
func timed() {
	c := make(chan int)
	go func() { <-c }()
	go func() { <-time.After(time.Hour) }()
	time.AfterFunc(time.Hour, func() { c <- 1 })
	live()
}

func main() {
	map[string]func(){"stale": stale, "read": read, "pointed": pointed, "deferred": deferred, "copied": copied, "noted": noted,
		"timed": timed}[os.Args[1]]()
}
