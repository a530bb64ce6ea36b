// polls.go - Go programs whose goroutines wait for pipes and sockets; the first argument says which.
// SPDX-License-Identifier: MIT
package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"sync"
	"time"
)

var state sync.Mutex

// A filter that writes nothing before it has read all, and whose input stays open.
func filter() {
	c := exec.Command("sort")
	in, _ := c.StdinPipe()
	out, _ := c.StdoutPipe()
	c.Start()
	fmt.Fprintln(in, "b\na")
	bufio.NewScanner(out).Scan()
	in.Close()
	c.Wait()
}

// The same, but somebody closes it later.
func filterLate() {
	c := exec.Command("sort")
	in, _ := c.StdinPipe()
	out, _ := c.StdoutPipe()
	c.Start()
	go func() {
		time.Sleep(time.Hour)
		in.Close()
	}()
	bufio.NewScanner(out).Scan()
}

func connect() (net.Conn, net.Conn) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		os.Exit(1)
	}
	defer l.Close()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		os.Exit(1)
	}
	server, err := l.Accept()
	if err != nil {
		os.Exit(1)
	}
	return client, server
}

func answer(server net.Conn) {
	buf := make([]byte, 1)
	io.ReadFull(server, buf)
	state.Lock()
	defer state.Unlock()
	server.Write(buf)
}

// Asks itself, and holds what the answer needs.
func ask() {
	client, server := connect()
	go answer(server)
	state.Lock()
	defer state.Unlock()
	client.Write([]byte("?"))
	io.ReadFull(client, make([]byte, 1))
}

// The same, but not for longer than an hour.
func askForAWhile() {
	client, server := connect()
	go answer(server)
	state.Lock()
	defer state.Unlock()
	client.Write([]byte("?"))
	client.SetReadDeadline(time.Now().Add(time.Hour))
	io.ReadFull(client, make([]byte, 1))
}

// Waits for whoever comes, and for whoever has come.
func rest() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		os.Exit(1)
	}
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		os.Exit(1)
	}
	for {
		c, err := l.Accept()
		if err != nil {
			os.Exit(1)
		}
		go io.Copy(c, c)
		go client.Read(make([]byte, 1))
	}
}

func main() {
	map[string]func(){"filter": filter, "filterLate": filterLate, "ask": ask, "askForAWhile": askForAWhile, "rest": rest, "nothing": nothing,
		"nilChannel": nilChannel, "joinsNothing": joinsNothing, "serves": serves}[os.Args[1]]()
}

// That there is a listener keeps Go itself from saying that all are asleep.
func listen() net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		os.Exit(1)
	}
	return l
}

// Does nothing any more.
func nothing() {
	listen()
	select {}
}

// Reads from a channel that was never made.
func nilChannel() {
	var results chan int
	listen()
	<-results
}

// Waits for somebody who does nothing any more.
func joinsNothing() {
	var all sync.WaitGroup
	listen()
	all.Add(1)
	go func() {
		defer all.Done()
		select {}
	}()
	all.Wait()
}

// The others serve.
func serves() {
	l := listen()
	go func() {
		for {
			l.Accept()
		}
	}()
	select {}
}
