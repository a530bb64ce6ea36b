// go_wait_unread.go - a process is waited for before anybody reads its output, which is more than a pipe takes.
// SPDX-License-Identifier: MIT
// expect: deadlock stuck
// misses: shim   a static program cannot be preloaded
// source: golang/go#60309, golang/go#20730
package main

import (
	"fmt"
	"io"
	"os"
)

func main() {
	r, w, _ := os.Pipe()
	p, err := os.StartProcess("/bin/sh", []string{"sh", "-c", "head -c 200000 /dev/zero"},
		&os.ProcAttr{Files: []*os.File{nil, w, w}})
	if err != nil {
		return
	}
	w.Close()
	p.Wait()
	b, _ := io.ReadAll(r)
	fmt.Println(len(b))
}
