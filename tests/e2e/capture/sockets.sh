#!/usr/bin/env bash
# sockets.sh - connections whose sides are not where one would look: in two network namespaces, or outside the recording.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"
cd "$TMP" || exit

cat >server.py <<'P'
import socket, sys
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind((sys.argv[1], 5099))
s.listen()
print("listens", flush=True)
s.accept()[0].recv(1)
P
cat >client.py <<'P'
import socket, sys, time
for i in range(600):
    try:
        c = socket.create_connection((sys.argv[1], 5099))
        break
    except OSError:
        time.sleep(0.1)
c.setblocking(True)
c.recv(1)
P
# The namespaces have names that only this test uses.
a=pptrace-a-$$ b=pptrace-b-$$
cat >both.sh <<E2
ip netns exec $a python3 server.py 10.99.0.1 &
ip netns exec $b python3 client.py 10.99.0.1 &
wait
E2

networks()
{
	ip netns add $a 2>/dev/null && ip netns add $b 2>/dev/null &&
		ip link add v netns $a type veth peer name v netns $b 2>/dev/null &&
		ip -n $a addr add 10.99.0.1/24 dev v && ip -n $b addr add 10.99.0.2/24 dev v &&
		ip -n $a link set v up && ip -n $b link set v up
}

begin "two that wait for each other across network namespaces"
if ! networks; then
	skip "network namespaces cannot be made here"
elif [[ " $(backends) " != *" ebpf "* ]]; then
	skip "no eBPF here"
else
	timeout 60 "$PPTRACE" run --backend=ebpf --watch=0.3 --on-deadlock=kill -o ns.db bash both.sh >out 2>err </dev/null
	[ $? = 124 ] || fail "no deadlock was found" "$(cat err)"
	expect_eq "$(sql ns.db "SELECT local IS NOT NULL, remote IS NOT NULL, outside FROM pipe WHERE kind = 'tcp'")" "1|1|0" "the connection"
fi
end

begin "who has received a part of what it wants waits for the rest"
for backend in $(backends); do
	timeout 60 "$PPTRACE" run --backend=$backend --watch=0.3 --on-deadlock=kill -o all.db "$BUILD/tests/corpus/pair_receives_all" >out 2>err </dev/null
	[ $? = 124 ] || fail "$backend: no deadlock was found" "$(cat err)"
	expect_eq "$(sql all.db "SELECT count(DISTINCT thread_id) FROM wait WHERE reason = 'pipe-read' AND end_ns - start_ns > 300000000")" 2 "$backend: threads that wait for the rest"
done
end

begin "why across network namespaces"
if ! ip netns exec $a true 2>/dev/null; then
	skip "network namespaces cannot be made here"
else
	bash both.sh >out 2>&1 &
	wait_for 60 pgrep -f "server.py 10.99.0.1"
	wait_for 60 pgrep -f "client.py 10.99.0.1"
	sleep 2 # until both have connected and rest
	"$PPTRACE" why "$(pgrep -nf "server.py 10.99.0.1")" >why 2>&1
	grep -q '^error: deadlock' why || fail "no deadlock was found" "$(head -c 1000 why)"
	# shellcheck disable=SC2046
	kill $(pgrep -f "(server|client).py 10.99.0.1") 2>/dev/null
	wait
fi
end
ip netns del $a 2>/dev/null
ip netns del $b 2>/dev/null

begin "a side outside the recording can always go on, and its address is named"
if [[ " $(backends) " != *" ebpf "* ]]; then
	skip "no eBPF here"
else
	python3 server.py 127.0.0.1 >listens 2>&1 &
	server=$!
	wait_for 60 grep -q listens listens
	"$PPTRACE" run --backend=ebpf --watch=0.2 -o out.db timeout 2 python3 client.py 127.0.0.1 >out 2>err </dev/null
	! grep -q 'deadlock\|stuck' err || fail "somebody outside was taken for nobody" "$(cat err)"
	expect_eq "$(sql out.db "SELECT outside, remote FROM pipe WHERE kind = 'tcp'")" "2|127.0.0.1:5099" "the connection"
	kill $server 2>/dev/null
	wait_end $server 2>/dev/null
fi
end
