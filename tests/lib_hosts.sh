# lib_hosts.sh - hosts of a test's own: network namespaces with a bridge between them. SPDX-License-Identifier: MIT
#
# make_hosts [N]: three, or N; 1 if that is not permitted here. They have 10.97.0.1 and so on, and see this one at 10.97.0.254.
# on HOST COMMAND...: runs it on host 1, 2... remove_hosts ends them: in a trap.

# Names of this test's own; those of links have at most 15 letters.
bridge=ppb$$ n_hosts=3
host_name() { echo "pp$1$$"; }

remove_hosts()
{
	local i
	for ((i = 1; i <= n_hosts; i++)); do
		ip netns del "$(host_name $i)" 2>/dev/null
		ip link del "ppv$i$$" 2>/dev/null
	done
	ip link del $bridge 2>/dev/null
}

make_hosts()
{
	local i n
	n_hosts=${1:-3}
	ip link add $bridge type bridge 2>/dev/null && ip addr add 10.97.0.254/24 dev $bridge && ip link set $bridge up || return 1
	for ((i = 1; i <= n_hosts; i++)); do
		n=$(host_name $i)
		ip netns add "$n" && ip link add "ppv$i$$" type veth peer name e0 netns "$n" && ip link set "ppv$i$$" master $bridge up &&
			ip -n "$n" addr add 10.97.0.$i/24 dev e0 && ip -n "$n" link set e0 up && ip -n "$n" link set lo up || return 1
	done
}

# on HOST COMMAND...: runs it there, under the name node-HOST.
on()
{
	ip netns exec "$(host_name "$1")" unshare -u sh -c 'hostname "node-$0"; exec "$@"' "$@"
}
