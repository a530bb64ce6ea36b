# lib_clickhouse.sh - a ClickHouse server of a test's own. SPDX-License-Identifier: MIT
#
# clickhouse_start NAME: starts one on loopback, with everything that it needs in $TMP/NAME, and sets ch_url (http://127.0.0.1:PORT)
# and ch_pid. Skips the current test, and returns 1, where the package is not installed.
# CH_CLUSTER: "NAME PORT PORT": a cluster of a shard at each of these TCP ports, "PORT,PORT" of one with two replicas; CH_TCP: the TCP port.
# CH_KEEPER: the port of a ZooKeeper.
# CH_LISTEN: another address at which it is to be reached too, by others of the same /24.
# ask SQL: what it answers. clickhouse_stop ends it.

# free_port: a TCP port that nobody uses now.
free_port()
{
	python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# cluster_config NAME PORT...: its part of a configuration.
cluster_config()
{
	local name=${1:-} port
	[ $# -gt 1 ] || return 0
	shift
	echo "<remote_servers><$name>"
	for port; do
		echo "<shard><replica><host>127.0.0.1</host><port>${port//,/</port></replica><replica><host>127.0.0.1</host><port>}</port></replica></shard>"
	done
	echo "</$name></remote_servers>"
}

clickhouse_start()
{
	local dir=$TMP/$1 http tcp
	command -v clickhouse-server >/dev/null || { skip "clickhouse-server is not installed"; return 1; }
	[ -s "$dir/ports" ] || { mkdir -p "$dir"/{data,tmp,files,format}; echo "$(free_port) ${CH_TCP:-$(free_port)}" >"$dir/ports"; }
	read -r http tcp <"$dir/ports"
	cat >"$dir/users.xml" <<-END
	<yandex>
	<profiles><default><max_memory_usage>${CH_MEMORY:-1000000000}</max_memory_usage></default></profiles>
	<users>
	<default><password></password><networks><ip>127.0.0.1</ip>${CH_LISTEN:+<ip>${CH_LISTEN%.*}.0/24</ip>}</networks><profile>default</profile><quota>default</quota></default>
	<ada><password>secret</password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota></ada>
	</users>
	<quotas><default/></quotas>
	</yandex>
	END
	cat >"$dir/config.xml" <<-END
	<yandex>
	<logger><level>warning</level><log>$dir/log</log><errorlog>$dir/errors</errorlog></logger>
	<http_port>$http</http_port><tcp_port>$tcp</tcp_port><listen_host>127.0.0.1</listen_host>${CH_LISTEN:+<listen_host>$CH_LISTEN</listen_host>}
	<mark_cache_size>16777216</mark_cache_size><uncompressed_cache_size>0</uncompressed_cache_size>
	<path>$dir/data/</path><tmp_path>$dir/tmp/</tmp_path><user_files_path>$dir/files/</user_files_path>
	<format_schema_path>$dir/format/</format_schema_path><users_config>$dir/users.xml</users_config>
	$(cluster_config ${CH_CLUSTER:-})${CH_KEEPER:+<zookeeper><node><host>127.0.0.1</host><port>$CH_KEEPER</port></node></zookeeper>
	<distributed_ddl><path>/pptrace/ddl</path></distributed_ddl>}
	<default_profile>default</default_profile><default_database>default</default_database><timezone>UTC</timezone>
	</yandex>
	END
	clickhouse-server --config-file="$dir/config.xml" >"$dir/out" 2>&1 </dev/null &
	ch_pid=$!
	ch_url=http://127.0.0.1:$http
	wait_for 30 ask "SELECT 1"
}

# The server ends with the test's file, whatever happens in that.
clickhouse_stop()
{
	[ -n "${ch_pid:-}" ] || return 0
	kill "${1:--TERM}" "$ch_pid" 2>/dev/null
	wait_end "$ch_pid" 2>/dev/null
	ch_pid=
}
trap 'clickhouse_stop -KILL; finish' EXIT

ask()
{
	python3 - "$ch_url/?database=${ch_database:-default}" "$1" <<-'END'
	import sys, urllib.request
	print(urllib.request.urlopen(sys.argv[1], sys.argv[2].encode(), 30).read().decode(), end="")
	END
}

# expect_there SQL WANTED
expect_there()
{
	expect_eq "$(ask "$1" 2>&1)" "$2" "$1"
}

# expect_same FILE: every table of the recording has as many rows there, in the database ch_database, as in the file.
expect_same()
{
	local tables here there
	tables=$(sql "$1" "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name")
	here=$(sql "$1" "$(for t in $tables; do echo "${here+UNION ALL} SELECT '$t ' || count(*) FROM $t"; here=; done)" | sort)
	there=$(ask "$(for t in $tables; do echo "${there+UNION ALL} SELECT concat('$t ', toString(count())) FROM \`$t\`${2:+ WHERE run = '$2'}"; there=; done)" | sort)
	[ "$here" = "$there" ] || fail "rows here (<) and there (>)" "$(diff <(echo "$here") <(echo "$there"))"
	[ "$(echo "$here" | wc -l)" -gt 20 ] || fail "only $(echo "$here" | wc -l) tables were compared"
}
