#!/usr/bin/env bash
# strace.sh - real programs: forks, threads, execs, statuses, signals and bytes per pipe agree with strace.
# SPDX-License-Identifier: MIT
#
# pptrace records strace, which traces the program: both see the very same run.
. "$(dirname "$0")/../../lib.sh"

# compare NAME COMMAND...: one test for each backend.
compare()
{
	compare_on ebpf --locks=futex "$@"
	compare_on shim --locks=shim "$@"
}

compare_on()
{
	local backend=$1 locks=$2 name=$3
	shift 3
	begin "$backend: $name"
	if ! command -v strace >/dev/null || ! command -v python3 >/dev/null; then
		skip "strace or python3 is missing"
	else
		run "$PPTRACE" run -q --backend=$backend $locks -o s.db strace -f -y -q -o s.log \
			-e trace=process,read,write,readv,writev,preadv2,pwritev2,splice,tee,sendfile,vmsplice -- "$@"
		expect_status 0
		expect_sql s.db "SELECT complete, lost FROM trace" "1|0"
		python3 "$ROOT/tests/strace_compare.py" s.log s.db $backend >cmp || fail "$(cat cmp)"
	fi
	end
}

# A small C project.
mkdir project
for i in 1 2 3 4 5 6; do
	echo "int f$i(int x) { return x + $i; }" >project/f$i.c
done
echo 'int f1(int); int main(void) { return f1(-1); }' >project/main.c
cat >project/Makefile <<'MAKE'
OBJ := main.o f1.o f2.o f3.o f4.o f5.o f6.o
prog: $(OBJ)
	$(CC) -o $@ $(OBJ) && ./$@
MAKE

cat >threads.py <<'PY'
import multiprocessing, subprocess, threading
def work(n):
    return n * n
if __name__ == "__main__":
    t = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    [x.start() for x in t]
    [x.join() for x in t]
    with multiprocessing.Pool(2) as pool:
        assert pool.map(work, range(20))[3] == 9
    assert subprocess.run(["sort"], input=b"b\na\n", stdout=subprocess.PIPE).stdout == b"a\nb\n"
    assert subprocess.run("exit 3", shell=True).returncode == 3
    p = subprocess.Popen(["sleep", "100"])
    p.terminate()
    assert p.wait() == -15
PY

cat >configure <<'SH'
#!/bin/sh
# What a configure script does: many small programs, here-documents, substitutions.
for f in stdio.h stdlib.h no_such_header.h; do
	cat >conftest.c <<EOT
#include <$f>
int main(void) { return 0; }
EOT
	if ${CC:-cc} -o conftest conftest.c 2>/dev/null && ./conftest; then r=yes; else r=no; fi
	echo "checking for $f... $r"
done
host=`uname -m | sed 's/x86_64/amd64/'`
(echo "host=$host"; date +%Y | tr 0-9 x; expr 3 + 4) | sort | uniq -c >config.log
rm -f conftest conftest.c
test -s config.log
SH
chmod +x configure

compare "make -j2 of a C project" make -s -j2 -C project
compare "a bash pipeline with sort" bash -c 'set -o pipefail; seq 20000 | sort -r | uniq | tail -n 5 | wc -l'
compare "xargs -P" bash -c 'seq 12 | xargs -P 3 -n 2 sh -c "echo \$@ | cat" sh | sort | wc -l'
compare "git log | head" bash -c "cd '$ROOT' && git log -p 2>/dev/null | head -n 20 | wc -l; true"
compare "python3: threading, multiprocessing, subprocess" python3 threads.py
compare "dpkg-query" bash -c 'dpkg-query -W | tail -n 3 | wc -l'
compare "a configure script" ./configure
compare "perl: fork, pipes and signals" perl -e '
	$SIG{USR1} = sub { $n++ };
	pipe(R, W);
	for my $i (1..5) { if (!fork) { kill USR1 => getppid; print W "x" x $i; exit $i } }
	close W; 1 while wait > 0; local $/; $s = <R>; exit(length($s) != 15);'
compare "a shell with traps and kills" sh -c 'trap "n=1" USR1; (kill -USR1 $$); sleep 5 & kill $!; wait $!; kill -0 $$'
