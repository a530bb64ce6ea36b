#!/usr/bin/env bash
# recipes.sh - the recipes of doc/ci.md do what they say: each is run as it stands there, on a project that hangs.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"

export PATH=$BUILD:$PATH LIMIT=120

# recipe NAME: the indented block after that mark. Their time limits are meant for CI: shorter here, where each hang would be waited for.
recipe()
{
	awk -v mark="<!-- recipe: $1 -->" '$0 == mark { on = 1; next } on && /^    / { print substr($0, 5); seen = 1; next }
		on && seen && NF { exit }' "$ROOT/doc/ci.md" | sed -E 's/(--timeout[ =])1m/\14s/'
}

# project NAME: an empty folder, which becomes the working directory; false, and the test is skipped, if a program is missing.
project()
{
	local name=$1 program
	shift
	for program; do
		command -v "$program" >/dev/null || { skip "$program is not installed"; return 1; }
	done
	mkdir "$TMP/$name"
	cd "$TMP/$name" || exit 1
}

c_program()
{
	cat >transfer.c <<-'C'
		#include <pthread.h>
		static pthread_mutex_t from = PTHREAD_MUTEX_INITIALIZER, to = PTHREAD_MUTEX_INITIALIZER;
		static pthread_barrier_t both;
		static void *back(void *arg)
		{
			pthread_mutex_lock(&to);
			pthread_barrier_wait(&both);
			pthread_mutex_lock(&from);
			return arg;
		}
		int main(void)
		{
			pthread_t t;
			pthread_barrier_init(&both, NULL, 2);
			pthread_create(&t, NULL, back, NULL);
			pthread_mutex_lock(&from);
			pthread_barrier_wait(&both);
			pthread_mutex_lock(&to);
			return 0;
		}
	C
}

begin "GitHub Actions: what the steps run"
if project github gcc; then
	c_program
	gcc -g -o run-tests "$TMP/github/transfer.c" -lpthread
	recipe github | sed -n 's/^  run: \(pp.*\)/\1/p' >test.sh
	recipe github | sed -n '/^  run: |$/,/^- /s/^    //p' >after.sh
	run bash test.sh
	expect_status 124
	expect_err '^error: deadlock'
	run bash -e after.sh
	expect_status 1
	expect_out '^::error file=transfer.c,line=[0-9]+,title=pptrace%3A deadlock::'
	expect_eq "$(python3 "$ROOT/tests/sarif.py" pptrace.sarif)" 1 "results in pptrace.sarif"
fi
cd "$TMP" || exit
end

begin "GitLab: script and after_script"
if project gitlab gcc xmllint; then
	c_program
	gcc -g -o run-tests transfer.c -lpthread
	recipe gitlab | sed -n '/^  script:/,/^  after/s/^    - //p' >test.sh
	recipe gitlab | sed -n '/^  after_script:/,/^  artifacts/s/^    - //p' >after.sh
	run bash test.sh
	expect_status 124
	run bash -e after.sh
	expect_status 1
	expect_eq "$(xmllint --xpath 'count(//testcase[failure])' pptrace.xml)" 1 "failed test cases"
	expect_eq "$(xmllint --xpath 'string(//testcase[failure]/@name)' pptrace.xml)" deadlock
fi
cd "$TMP" || exit
end

begin "CTest"
if project ctest cmake ctest; then
	c_program
	cat >CMakeLists.txt <<-'C'
		cmake_minimum_required(VERSION 3.16)
		project(transfer C)
		enable_testing()
		add_compile_options(-g)
		add_executable(transfer transfer.c)
		target_link_libraries(transfer pthread)
		add_test(NAME transfer COMMAND transfer)
	C
	recipe ctest >steps.sh
	run bash -e steps.sh
	expect_status 8
	cp "$TMP/out" out
	expect_out '^error: deadlock: '
	expect_out 'waits for the mutex to since .* at transfer.c:[0-9]+ \(main\)'
	[ -e build/pptrace.db ] || fail "there is no recording in build/"
fi
cd "$TMP" || exit
end

begin "pytest"
python=
for p in python3 /usr/bin/python3; do
	[ -n "$python" ] || ! "$p" -c 'import pytest' 2>/dev/null || python=$p
done
if [ -z "$python" ]; then
	skip "pytest is not installed"
elif project pytest "$python"; then
	cat >test_transfer.py <<-'P'
		import threading


		def test_transfer():
		    source, target = threading.Lock(), threading.Lock()
		    both = threading.Barrier(2)

		    def back():
		        with target:
		            both.wait()
		            with source:
		                pass

		    thread = threading.Thread(target=back, name="back")
		    thread.start()
		    with source:
		        both.wait()
		        with target:
		            pass
		    thread.join()
	P
	recipe pytest >steps.sh
	sed -i "s|python3|$python|" steps.sh
	run bash -e steps.sh
	expect_status 124
	expect_err 'waits for the lock `target` \(threading.Lock\) since .* at test_transfer.py:18 \(test_transfer\)'
fi
cd "$TMP" || exit
end

begin "cargo"
if project cargo cargo rustc; then
	export CARGO_HOME=$TMP/cargo/home CARGO_NET_OFFLINE=true
	# The compiler that belongs to it: there may be two.
	beside=$(dirname "$(command -v cargo)")/rustc
	[ ! -x "$beside" ] || export RUSTC=$beside
	mkdir src
	printf '[package]\nname = "transfer"\nversion = "0.1.0"\nedition = "2021"\n' >Cargo.toml
	cat >src/lib.rs <<-'R'
		#[cfg(test)]
		mod tests {
		    use std::sync::{Arc, Barrier, Mutex};

		    #[test]
		    fn transfer() {
		        let (a, b, both) = (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(0)), Arc::new(Barrier::new(2)));
		        let (a2, b2, both2) = (a.clone(), b.clone(), both.clone());
		        let back = std::thread::spawn(move || {
		            let _b = b2.lock().unwrap();
		            both2.wait();
		            let _a = a2.lock().unwrap();
		        });
		        let _a = a.lock().unwrap();
		        both.wait();
		        let _b = b.lock().unwrap();
		        back.join().unwrap();
		    }
		}
	R
	recipe cargo >steps.sh
	run bash -e steps.sh
	[ "$status" != 0 ] || fail "it passed"
	expect_err 'timeout after 4.00 s'
	expect_err ' at lib.rs:16 \(transfer::tests::transfer'
	expect_err ' at lib.rs:12 \(transfer::tests::transfer'
fi
cd "$TMP" || exit
end

begin "go test"
if [ "$(id -u)" != 0 ]; then
	skip "static programs are recorded by eBPF, as root"
elif project go go; then
	export GOCACHE=$TMP/go/cache GOFLAGS=-mod=mod GOPROXY=off
	printf 'module transfer\n\ngo 1.19\n' >go.mod
	cat >transfer_test.go <<-'G'
		package transfer

		import (
			"os"
			"testing"
		)

		func TestTransfer(t *testing.T) {
			r, w, _ := os.Pipe()
			b := make([]byte, 1)
			r.Read(b)
			w.Close()
		}
	G
	recipe go >steps.sh
	run bash -e steps.sh
	[ "$status" != 0 ] || fail "it passed"
	cat "$TMP/out" "$TMP/err" >"$TMP/all"
	grep -q 'timeout after 4.00 s' "$TMP/all" || fail "no time limit:" "$(tail -5 "$TMP/all")"
	grep -q '^transfer.test\[' "$TMP/all" || fail "no list of threads:" "$(tail -5 "$TMP/all")"
	[ -e pptrace.db ] || fail "there is no recording in the folder of the package"
fi
cd "$TMP" || exit
end
