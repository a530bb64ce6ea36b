#!/usr/bin/env bash
# java.sh - Java programs: what their threads wait for, in their own words; what is a deadlock, and what only rests.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"
. "$ROOT/tests/lib_why.sh"
. "$ROOT/tests/lib_release.sh"

if ! command -v javac >/dev/null; then
	begin "Java programs"
	skip "there is no javac"
	end
	exit 0
fi
javac -g --release 11 -d . "$ROOT/tests/java/Cases.java" "$ROOT/tests/java/Streams.java" "$ROOT/tests/java/Virtual.java"

# The findings in a text, without the numbers that differ from run to run.
findings()
{
	sed -E 's/^err\| //; /^(error: deadlock|warning: stuck)/,/^  remedy/!d; s/\[[0-9]+\]/[PID]/g; s/,? since [0-9.]+ s//g
		s/0x[0-9a-f]+/ADDRESS/g; s/\(pid [0-9]+\)/(pid PID)/g' "$1"
}

# expect_findings FILE TEXT: they are exactly what the function TEXT says.
expect_findings()
{
	findings "$1" >.found
	"$2" | diff - .found >.difference || fail "found (>) and wanted (<) differ" "$(cat .difference)" "$(cat "$1")"
}

monitors_text()
{
	cat <<-'T'
	error: deadlock: thread "transfer" of Cases[PID] and thread "report" of Cases[PID] wait for each other and can never proceed
	  cycle of 2, certain
	  thread "transfer" of Cases[PID]
	      waits for the monitor of the java.lang.Object `Cases.ledger` at Cases.java:28 (Cases.transfer),
	      which is held by thread "report" of Cases[PID], now at Cases.java:35 (Cases.report)
	  thread "report" of Cases[PID]
	      waits for the monitor of the java.lang.Object `Cases.audit` at Cases.java:35 (Cases.report),
	      which is held by thread "transfer" of Cases[PID], now at Cases.java:28 (Cases.transfer)
	  remedy: Take these locks in the same order everywhere, or try the second one and release the first if that fails.
	T
}

locks_text()
{
	cat <<-'T'
	error: deadlock: thread "left" of Cases[PID] and thread "right" of Cases[PID] wait for each other and can never proceed
	  cycle of 2, certain
	  thread "left" of Cases[PID]
	      waits for the lock `Cases.second` (java.util.concurrent.locks.ReentrantLock) at Cases.java:42 (Cases.left),
	      which is held by thread "right" of Cases[PID], now at Cases.java:48 (Cases.right)
	  thread "right" of Cases[PID]
	      waits for the lock `Cases.first` (java.util.concurrent.locks.ReentrantLock) at Cases.java:48 (Cases.right),
	      which is held by thread "left" of Cases[PID], now at Cases.java:42 (Cases.left)
	  remedy: Take these locks in the same order everywhere, or try the second one and release the first if that fails.
	T
}

mixed_text()
{
	cat <<-'T'
	error: deadlock: thread "deposit" of Cases[PID] and thread "audit" of Cases[PID] wait for each other and can never proceed
	  cycle of 2, certain
	  thread "deposit" of Cases[PID]
	      waits for the monitor of the Cases$Account `this` at Cases.java:57 (Cases$Account.deposit),
	      which is held by thread "audit" of Cases[PID], now at Cases.java:62 (Cases$Account.audit)
	  thread "audit" of Cases[PID]
	      waits for the lock `this.lock` (java.util.concurrent.locks.ReentrantLock) at Cases.java:62 (Cases$Account.audit),
	      which is held by thread "deposit" of Cases[PID], now at Cases.java:57 (Cases$Account.deposit)
	  remedy: Take these locks in the same order everywhere, or try the second one and release the first if that fails.
	T
}

join_text()
{
	cat <<-'T'
	error: deadlock: thread "main" of Cases[PID] and thread "worker" of Cases[PID] wait for each other and can never proceed
	  cycle of 2, certain
	  thread "main" of Cases[PID]
	      waits to join thread "worker" of Cases[PID] at Cases.java:74 (Cases.join)
	  thread "worker" of Cases[PID]
	      waits to join thread "main" of Cases[PID] at Cases.java:70 (Cases.lambda$join$1)
	  remedy: Let only one thread join the others.
	T
}

latch_text()
{
	cat <<-'T'
	error: deadlock: thread "main" of Cases[PID] and thread "worker" of Cases[PID] wait for each other and can never proceed
	  cycle of 2, certain
	  thread "main" of Cases[PID]
	      waits for the latch ADDRESS (java.util.concurrent.CountDownLatch) at Cases.java:84 (Cases.latch),
	      and every thread that could count it down is blocked
	  thread "worker" of Cases[PID]
	      waits for the lock `Cases.first` (java.util.concurrent.locks.ReentrantLock) at Cases.java:81 (Cases.lambda$latch$2),
	      which is held by thread "main" of Cases[PID], now at Cases.java:84 (Cases.latch)
	  remedy: Do not hold a lock while waiting for something that other threads can only do while holding that lock.
	T
}

CLASSES="A static initialiser must not need a class whose own initialiser needs this one (a subclass, say), nor wait for a thread that does: create what it needs later, on first use."

classes_text()
{
	cat <<-T
	error: deadlock: thread "left" of Cases[PID] and thread "right" of Cases[PID] wait for each other and can never proceed
	  cycle of 2, certain
	  thread "left" of Cases[PID]
	      waits for the initialisation of the class \`Cases\$Right\` (java.lang.Class) at Cases.java:207 (Cases\$Left.<clinit>),
	      which is held by thread "right" of Cases[PID], now at Cases.java:216 (Cases\$Right.<clinit>)
	  thread "right" of Cases[PID]
	      waits for the initialisation of the class \`Cases\$Left\` (java.lang.Class) at Cases.java:216 (Cases\$Right.<clinit>),
	      which is held by thread "left" of Cases[PID], now at Cases.java:207 (Cases\$Left.<clinit>)
	  remedy: $CLASSES
	T
}

parent_text()
{
	cat <<-T
	error: deadlock: thread "parent" of Cases[PID] and thread "child" of Cases[PID] wait for each other and can never proceed
	  cycle of 2, certain
	  thread "parent" of Cases[PID]
	      waits for the initialisation of the class \`Cases\$Circle\` (java.lang.Class) at Cases.java:229 (Cases\$Shape.<clinit>),
	      which is held by thread "child" of Cases[PID], now at Cases.java:239 (Cases.circle)
	  thread "child" of Cases[PID]
	      waits for the initialisation of the class \`Cases\$Shape\` (java.lang.Class) at Cases.java:239 (Cases.circle),
	      which is held by thread "parent" of Cases[PID], now at Cases.java:229 (Cases\$Shape.<clinit>)
	  remedy: $CLASSES
	T
}

queue_text()
{
	cat <<-'T'
	warning: stuck: thread "main" of Cases[PID] cannot proceed: it waits for the queue ADDRESS (java.util.concurrent.LinkedBlockingQueue)
	  abandoned, conditional
	  thread "main" of Cases[PID]
	      waits for the queue ADDRESS (java.util.concurrent.LinkedBlockingQueue) at Cases.java:140 (Cases.main),
	      and every thread that could use its other side is blocked
	  unless the program is meant to wait there until it is killed
	  remedy: Make sure that what is waited for happens on every path, including error paths, or wait with a timeout.
	T
}

notify_text()
{
	cat <<-'T'
	warning: stuck: thread "main" of Cases[PID] cannot proceed: it waits to be notified through the monitor of the java.lang.Object `Cases.audit`
	  abandoned, conditional
	  thread "main" of Cases[PID]
	      waits to be notified through the monitor of the java.lang.Object `Cases.audit` at Cases.java:144 (Cases.main),
	      and every thread that could notify it is blocked
	  unless the program is meant to wait there until it is killed
	  remedy: Make sure that what is waited for happens on every path, including error paths, or wait with a timeout.
	T
}

lost_text()
{
	cat <<-'T'
	warning: stuck: thread "main" of Cases[PID] and thread "pool-1-thread-1" of Cases[PID] wait for each other
	  cycle of 2, conditional
	  thread "main" of Cases[PID]
	      waits for the future ADDRESS (java.util.concurrent.FutureTask) at Cases.java:100 (Cases.lost),
	      and every thread that could complete it is blocked
	  thread "pool-1-thread-1" of Cases[PID]
	      waits for the future ADDRESS (java.util.concurrent.FutureTask) at Cases.java:100 (Cases.lambda$lost$4),
	      and every thread that could complete it is blocked
	  unless the program is meant to wait there until it is killed
	  remedy: Let a thread that depends on none of the others provide what is waited for, or wait with a timeout.
	T
}

child_words()
{
	local line
	findings "$1" >.found
	for line in '  thread "main" of Cases[PID]' '      waits for its child Cases[PID] to exit at Cases.java:91 (Cases.child)' \
		'      waits to write to the full pipe' ' at Cases.java:95 (Cases.flood)' '      whose read end is open in Cases[PID] (fd' \
		"  remedy: Read the child's output to its end first, then wait for the child."; do
		grep -qF -- "$line" .found || fail "nowhere: $line" "$(cat "$1")"
	done
}

cat >Errors.java <<'END'
import java.io.*;
public class Errors {
	public static void main(String[] a) throws Exception {
		Process p = new ProcessBuilder("sh", "-c", "head -c 300000 /dev/zero >&2; echo done").start();
		System.out.println(new BufferedReader(new InputStreamReader(p.getInputStream())).readLine());
	}
}
END
javac -g --release 11 -d . Errors.java

errors_words()
{
	findings "$1" >.found
	grep -q '^error: deadlock: thread "main" of Errors\[PID\], sh\[PID\] and head\[PID\] wait for each other' .found || fail "other members" "$(cat "$1")"
	grep -q "^  remedy: Read the child's standard error while it runs, too" .found || fail "another remedy" "$(cat "$1")"
}

for backend in auto shim; do
	begin "run --backend=$backend: a child that fills the pipe of its errors while Java reads its output"
	run timeout 60 "$PPTRACE" run --backend=$backend --watch=0.5 --on-deadlock=kill -o errors.db java Errors
	expect_status 124
	errors_words err
	end
done

# ---- Programs that were never traced ----

# has_text WORD: pptrace why says it of the program now.
has_text()
{
	"$PPTRACE" why "$pid" >out 2>&1
	grep -q -- "$1" out
}

# why_of NAME STATUS: starts the case, with the Java that JAVA runs, and waits until why finds something.
why_of()
{
	start "${JAVA[@]}" Cases "$1"
	wait_for 60 has_text '^error: deadlock\|^warning: stuck'
	# Once more, when every thread has arrived where it stays.
	run "$PPTRACE" why "$pid"
	expect_status "$2"
}

why_tests()
{
	local case
	for case in monitors locks mixed join latch classes parent queue notify lost; do
		begin "why, Java $1: $case"
		case $case in queue | notify | lost) why_of "$case" 0 ;; *) why_of "$case" 1 ;; esac
		expect_findings out "${case}_text"
		stop
		end
	done
	begin "why, Java $1: a child that writes to a full pipe"
	why_of child 1
	child_words out
	# It only waits for what the main thread waits for.
	! findings out | grep -q 'process reaper' || fail "the thread that reaps children is a member" "$(cat out)"
	stop
	end
	for case in pool server rest; do
		begin "why, Java $1: an idle $case is not accused"
		start "${JAVA[@]}" Cases "$case"
		wait_for 60 has_text 'pool-1-thread-1: waits for the work queued to the pool.*; and 1 more thread in the same wait'
		run "$PPTRACE" why "$pid"
		expect_out '^No deadlock was found'
		expect_status 0
		stop
		end
	done
	for case in hook hookjoin; do
		begin "why, Java $1: a service that rests until its shutdown hook runs is not accused ($case)"
		start "${JAVA[@]}" Cases "$case"
		wait_for 60 has_text 'waits for the queue .*LinkedBlockingQueue'
		run "$PPTRACE" why "$pid"
		expect_out '^No deadlock was found'
		expect_status 0
		stop
		end
	done
}

# release_tests VERSION: "own" is the one that this machine has.
release_tests()
{
	local cannot root=$BUILD/java
	JAVA=(java -cp ..)
	[ "$1" = own ] || cannot=$(release_cannot java "$1")
	if [ "$1" = own ]; then
		why_tests "$(java -version 2>&1 | sed -n '1s/[^"]*"\([0-9]*\).*/\1/p')"
	elif [ -n "$cannot" ]; then
		begin "Java $1"
		skip "$cannot"
		end
	else
		mkdir -p "$root/$1/cases"
		cp ../*.class "$root/$1/cases"
		JAVA=("$root/run" "$1" -cp /cases)
		why_tests "$1"
	fi
}
# Whoever comes first fetches them.
release_cannot java 21 >/dev/null
side_by_side release_tests own 11 21 25

# ---- Programs that are traced ----

JAVA=(java -cp ..)

# told: run has reported a deadlock or a stuck set.
told()
{
	grep -q '^error: deadlock\|possibly stuck' err
}

# certain_in_run BACKEND CASE: run says it at once, kill ends it, diagnose keeps it.
certain_in_run()
{
	run timeout 60 "$PPTRACE" run --backend="$1" --watch=0.5 --on-deadlock=kill -o "$2.db" "${JAVA[@]}" Cases "$2"
	expect_status 124
	expect_findings err "${2}_text"
	run "$PPTRACE" diagnose --rule deadlock "$2.db"
	expect_lines_in out "${2}_text"
}

# expect_lines_in FILE TEXT: each line of the function TEXT is among the findings; there are lines about the end too.
expect_lines_in()
{
	local line
	findings "$1" >.found
	while IFS= read -r line; do
		grep -qxF -- "$line" .found || fail "nowhere: $line" "$(cat "$1")"
	done < <("$2")
}

# stuck_in_run BACKEND CASE: run says it while it lasts, and diagnose afterwards, the whole text.
stuck_in_run()
{
	background "$PPTRACE" run --backend="$1" --watch=0.5 -o "$2.db" "${JAVA[@]}" Cases "$2"
	wait_for 60 told_text
	cp err out
	sed -i 's/^pptrace: possibly stuck:/warning: stuck:/' out
	expect_findings out "${2}_text"
	kill -TERM $!
	wait_end $!
	run "$PPTRACE" diagnose --rule stuck "$2.db"
	sed -i '/^  .*SIGTERM/d' out
	expect_findings out "${2}_text"
}

# idle_in_run BACKEND CASE SECONDS
idle_in_run()
{
	run timeout --preserve-status -s TERM "$3" "$PPTRACE" run --backend="$1" --watch=0.2 -o "$2.db" "${JAVA[@]}" Cases "$2"
	expect_no_err 'deadlock\|stuck'
	expect_sql "$2.db" "SELECT count(*) FROM finding WHERE rule IN ('deadlock', 'stuck')" 0
}

run_tests()
{
	local case
	for case in monitors locks mixed join latch classes parent; do
		begin "$1: $case, reported while it lasts, and kept"
		certain_in_run "$1" "$case"
		end
	done
	begin "$1: a child that writes to a full pipe"
	run timeout 60 "$PPTRACE" run --backend="$1" --watch=0.5 --on-deadlock=kill -o child.db "${JAVA[@]}" Cases child
	expect_status 124
	child_words err
	end
	for case in queue notify lost; do
		begin "$1: $case, told while it lasts, and kept: the whole text"
		stuck_in_run "$1" "$case"
		end
	done
	begin "$1: contended locks, and a pool, a server and a service that are idle, are not accused"
	run "$PPTRACE" run --backend="$1" --watch=0.2 -o healthy.db "${JAVA[@]}" Cases healthy
	expect_status 0
	expect_no_err 'deadlock\|stuck'
	run timeout --preserve-status -s TERM 12 "$PPTRACE" run --backend="$1" --watch=0.2 -o pool.db "${JAVA[@]}" Cases pool
	expect_no_err 'deadlock\|stuck'
	expect_sql pool.db "SELECT count(*) FROM finding WHERE rule IN ('deadlock', 'stuck')" 0
	expect_sql pool.db "SELECT DISTINCT l.type FROM wait w JOIN lock l ON l.id = w.lock_id JOIN thread t ON t.id = w.thread_id
		WHERE t.runtime_name LIKE 'pool-1-thread-%' AND w.read_ns IS NOT NULL" "java.util.concurrent.ThreadPoolExecutor"
	idle_in_run "$1" server 12
	idle_in_run "$1" rest 12
	for case in hook hookjoin; do
		run timeout --preserve-status -s TERM 12 "$PPTRACE" run --backend="$1" --watch=0.2 -o hook.db "${JAVA[@]}" Cases $case
		expect_no_err 'deadlock\|stuck'
		expect_sql hook.db "SELECT count(*) FROM finding WHERE rule IN ('deadlock', 'stuck')" 0
		expect_sql hook.db "SELECT max(hooks) FROM process" 1
	done
	end
}
# shellcheck disable=SC2046
side_by_side run_tests $(backends)

# recorded_release BACKEND: the Java of other releases, in a root that has the preload library, too.
recorded_release()
{
	local version root=$BUILD/java
	for version in 11 21 25; do
		[ -z "$(release_cannot java $version)" ] || continue
		JAVA=("$root/run" "$version" -cp /cases)
		begin "$1: Java $version: monitors and a join cycle, reported while they last, and kept; a queue that nobody fills; a child that writes to a full pipe; an idle pool and server are not accused"
		certain_in_run "$1" monitors
		certain_in_run "$1" join
		stuck_in_run "$1" queue
		run timeout 60 "$PPTRACE" run --backend="$1" --watch=0.5 --on-deadlock=kill -o child.db "${JAVA[@]}" Cases child
		expect_status 124
		child_words err
		idle_in_run "$1" pool 20
		idle_in_run "$1" server 20
		end
	done
}
if [ -n "${LONG:-}" ]; then
	for version in 11 21 25; do
		[ -n "$(release_cannot java $version)" ] || release_library "$BUILD/java/$version"
	done
	# shellcheck disable=SC2046
	side_by_side recorded_release $(backends | sed 's/ /\n/g')
fi

cat >Blocks.java <<'END'
public class Blocks {
	static final Object gate = new Object();
	public static void main(String[] a) throws Exception {
		Thread late = new Thread(() -> {
			synchronized (gate) {
				System.out.println("late");
			}
		}, "late");
		synchronized (gate) {
			late.start();
			Thread.sleep(1000000);
		}
	}
}
END
javac -g --release 11 -d . Blocks.java

begin "a thread that waits for a monitor is at the line that asks for it, not at the first one of what it does then"
start java -cp . Blocks
wait_for 60 has_text '^ *at Blocks.java:[0-9]* (Blocks.lambda.main.0)$'
expect_out ' late: waits for the monitor of the java.lang.Object `Blocks.gate`'
expect_out '^ +at Blocks.java:5 \(Blocks.lambda.main.0\)$'
stop
end

# ---- Virtual threads ----

# carriers_gone: the threads on which virtual ones ran have ended, as they do when there was nothing to do for 30 s.
carriers_gone() { ! "$PPTRACE" why "$pid" | grep -q 'for virtual threads'; }

begin "why, Java 21: virtual threads: crossed monitors go by their names; what waits for one that does not run is not accused, nor later, when their carriers have ended"
cannot=$(release_cannot java 21)
if [ -n "$cannot" ]; then
	skip "$cannot"
else
	mkdir -p "$BUILD/java/21/virtual"
	cp Virtual*.class "$BUILD/java/21/virtual"
	start "$BUILD/java/run" 21 -cp /virtual Virtual monitors
	wait_for 60 has_text '^error: deadlock'
	run "$PPTRACE" why "$pid"
	expect_out '^error: deadlock: thread "#[0-9]+ \(virtual thread\)" of Virtual\[[0-9]+\] and thread "#[0-9]+ \(virtual thread\)" of Virtual'
	expect_out "waits for the monitor of the java.lang.Object .* at Virtual.java:$(grep -n '// inner' "$ROOT/tests/java/Virtual.java" | cut -d: -f1) \(Virtual.lock\), called from"
	stop
	start "$BUILD/java/run" 21 -cp /virtual Virtual accept
	wait_for 60 has_text 'Read-Poller: '
	run "$PPTRACE" why "$pid"
	expect_out '^No deadlock was found'
	expect_out "^  virtual threads of Java that do not run \(jcmd's Thread.dump_to_file shows them\): Virtual"
	if [ -n "${LONG:-}" ]; then
		wait_for 60 carriers_gone
		run "$PPTRACE" why "$pid"
		expect_out '^No deadlock was found'
		expect_out "^  virtual threads of Java that do not run"
	fi
	stop
fi
end

# ---- Beside jstack ----

# Frames of a thread from jstack's text: "Cases.left(Cases.java:42)", one a line.
jstack_frames()
{
	sed '/^Found one/,$d' stack | sed -n "/^\"$1\"/,/^\$/s/^\tat //p" | head -64 | sed -E 's/\((java.base|[a-z.]+)@[^/]*\//(/; s/\(Native Method\)/()/; s/\(Unknown Source\)/()/
		s/\$\$Lambda([^.]*)\/0x[0-9a-f]+/$$Lambda\1/'
}

frames_sql()
{
	sql frames.db "SELECT s.function || '(' || iif(s.line > 0, s.file || ':' || s.line, '') || ')' FROM wait w
		JOIN thread t ON t.id = w.thread_id JOIN frame f ON f.stack_id = w.stack_id JOIN site s ON s.id = f.site_id
		WHERE t.runtime_name = '$1' AND w.id = (SELECT max(id) FROM wait WHERE thread_id = t.id AND stack_id IS NOT NULL)
		ORDER BY f.depth"
}

begin "the frames are those that jstack shows"
if command -v jstack >/dev/null; then
	background "$PPTRACE" run --watch=0.5 -o frames.db java -cp . Cases locks
	wait_for 60 told
	jstack "$(pgrep -P $! java)" >stack
	kill -TERM "$(pgrep -P $! java)"
	wait_end $!
	for name in left right; do
		expect_eq "$(frames_sql $name)" "$(jstack_frames $name)"
		[ "$(frames_sql $name | wc -l)" -ge 8 ] || fail "only: $(frames_sql $name)"
	done
else
	skip "there is no jstack"
fi
end

streams_text()
{
	cat <<-T
	error: deadlock: thread "main" of Streams[PID] and thread "ForkJoinPool.commonPool-worker-1" of Streams[PID] wait for each other and can never proceed
	  cycle of 2, certain
	  thread "main" of Streams[PID]
	      waits for the parallel stream ADDRESS (java.util.stream.IntStream) at Streams.java:7 (Streams\$Table.<clinit>),
	      and every thread that could finish its work is blocked
	  thread "ForkJoinPool.commonPool-worker-1" of Streams[PID]
	      waits for the initialisation of the class \`Streams\$Table\` (java.lang.Class) at Streams\$Table\$\$Lambda.applyAsInt,
	      which is held by thread "main" of Streams[PID], now at Streams.java:7 (Streams\$Table.<clinit>)
	  remedy: $CLASSES
	T
}

begin "a parallel stream in a static initialiser: what waits for it, and where, in the words of the program"
start java -cp . -Djava.util.concurrent.ForkJoinPool.common.parallelism=1 Streams
wait_for 60 has_text '^error: deadlock'
run "$PPTRACE" why "$pid"
sed -i -E 's/(Lambda)[$/0-9a-fx]*\./\1./' out
expect_findings out streams_text
stop
end

begin "compiled code: the same frames once the methods have been compiled"
start java -cp . -XX:TieredStopAtLevel=1 -Xcomp Cases locks
wait_for 60 has_text '^error: deadlock'
run "$PPTRACE" why "$pid"
expect_findings out locks_text
stop
end

begin "other collectors, and pointers that are not compressed"
for options in -XX:+UseSerialGC -XX:+UseParallelGC -XX:+UseZGC "-XX:-UseCompressedOops -XX:-UseCompressedClassPointers"; do
	# shellcheck disable=SC2086
	start java -cp . $options Cases mixed
	wait_for 60 has_text '^error: deadlock'
	run "$PPTRACE" why "$pid"
	expect_findings out mixed_text
	stop
done
end

begin "a libjvm.so whose tables lie: an answer at once, and no crash"
echo '#include <unistd.h>
extern void *gHotSpotVMStructs; int main(void) { return gHotSpotVMStructs ? pause() : 1; }' >liar.c
for form in 1 2 3; do
	mkdir -p "liar$form"
	gcc -shared -fPIC -DFORM=$form -o "liar$form/libjvm.so" "$ROOT/tests/java/forged.c" || fail "the library cannot be built"
	gcc -o "liar$form/liar" liar.c "liar$form/libjvm.so" -Wl,-rpath,"$PWD/liar$form" || fail "the program cannot be built"
	start "liar$form/liar"
	wait_for 10 has_text 'waits for a signal'
	run timeout 10 "$PPTRACE" why "$pid"
	expect_status 0
	expect_out '^No deadlock was found'
	stop
done
end
