#!/bin/bash
# consistent.sh - whatever is recorded, the tables do not contradict each other.
# SPDX-License-Identifier: MIT

. "$(dirname "$0")/../../lib.sh"

# Each line: what would be wrong, and how often it is.
cat >"$TMP/rules.sql" <<'E2'
SELECT 'an end is open after its process', count(*) FROM pipe_end e JOIN process p ON p.id = e.process_id
 WHERE p.end_ns IS NOT NULL AND (e.close_ns IS NULL OR e.close_ns > p.end_ns);
SELECT 'a descriptor is open twice', count(*) FROM (SELECT close_ns c,
  lead(open_ns) OVER (PARTITION BY process_id, fd ORDER BY open_ns, id) n FROM pipe_end WHERE fd IS NOT NULL)
 WHERE n < coalesce(c, 9e18);
SELECT 'a thread outlives its process', count(*) FROM thread t JOIN process p ON p.id = t.process_id
 WHERE p.end_ns IS NOT NULL AND (t.end_ns IS NULL OR t.end_ns > p.end_ns);
SELECT 'a thread is older than its process', count(*) FROM thread t JOIN process p ON p.id = t.process_id
 WHERE t.start_ns < p.start_ns;
SELECT 'a process has not one main thread', count(*) FROM process p
 WHERE 1 <> (SELECT count(*) FROM thread t WHERE t.process_id = p.id AND is_main);
SELECT 'a process has no parent', count(*) FROM process WHERE parent_id IS NULL AND id <> 1;
SELECT 'a process ended without a status', count(*) FROM process WHERE end_ns IS NOT NULL AND end_kind IS NULL;
SELECT 'a process was reaped alive', count(*) FROM process WHERE reaped_ns < end_ns;
SELECT 'two waits of a thread overlap', count(*) FROM (SELECT end_ns e,
  lead(start_ns) OVER (PARTITION BY thread_id ORDER BY start_ns, id) n FROM wait) WHERE n < coalesce(e, 9e18);
SELECT 'a wait outlives its thread', count(*) FROM wait w JOIN thread t ON t.id = w.thread_id
 WHERE t.end_ns IS NOT NULL AND (w.end_ns IS NULL OR w.end_ns > t.end_ns);
SELECT 'an unknown lock', count(*) FROM (SELECT lock_id FROM lock_hold UNION SELECT lock_id FROM wait
  UNION SELECT lock_id FROM sync UNION SELECT mutex_id FROM sync) x
 WHERE lock_id IS NOT NULL AND lock_id NOT IN (SELECT id FROM lock);
SELECT 'an unknown pipe', count(*) FROM (SELECT pipe_id FROM pipe_io UNION SELECT pipe_id FROM pipe_end
  UNION SELECT pipe_id FROM wait) x WHERE pipe_id IS NOT NULL AND pipe_id NOT IN (SELECT id FROM pipe);
SELECT 'an unknown thread', count(*) FROM (SELECT thread_id FROM lock_hold UNION SELECT thread_id FROM wait
  UNION SELECT thread_id FROM sync UNION SELECT thread_id FROM pipe_io UNION SELECT thread_id FROM lock_edge) x
 WHERE thread_id NOT IN (SELECT id FROM thread);
SELECT 'an unknown site', count(*) FROM (SELECT site_id FROM lock_hold UNION SELECT release_site_id FROM lock_hold
  UNION SELECT site_id FROM wait UNION SELECT site_id FROM sync) x
 WHERE site_id IS NOT NULL AND site_id NOT IN (SELECT id FROM site);
SELECT 'a pipe is used by a process that does not hold it', count(*) FROM pipe_io io JOIN thread t ON t.id = io.thread_id
 WHERE io.errno IS NULL AND NOT EXISTS (SELECT 1 FROM pipe_end e WHERE e.pipe_id = io.pipe_id
   AND e.process_id = t.process_id AND e.open_ns <= io.end_ns AND coalesce(e.close_ns, 9e18) >= io.start_ns);
SELECT 'more was read from a pipe than written', count(*) FROM pipe p WHERE kind = 'pipe' AND created_ns IS NOT NULL
   AND (SELECT coalesce(sum(bytes), 0) FROM pipe_io WHERE pipe_id = p.id AND op = 'read' AND call <> 'tee')
     > (SELECT coalesce(sum(bytes), 0) FROM pipe_io WHERE pipe_id = p.id AND op = 'write');
SELECT 'two threads hold a mutex', count(*) FROM (SELECT h.release_ns r, h.mode,
  lead(h.acquire_ns) OVER (PARTITION BY h.lock_id ORDER BY h.acquire_ns) n
  FROM lock_hold h JOIN lock l ON l.id = h.lock_id WHERE l.kind = 'mutex' AND h.count IS NULL) WHERE n < r - 5000;
SELECT 'a sum of holds is wrong', count(*) FROM lock_stat s WHERE s.holds <>
  (SELECT coalesce(sum(coalesce(count, 1)), 0) FROM lock_hold h WHERE h.lock_id = s.lock_id);
E2

# consistent COMMAND...: by each backend. A recording with losses may miss what explains the rest.
consistent()
{
	local backend wrong
	for backend in $(backends); do
		begin "$backend: $1 $2"
		run "$PPTRACE" run -q --backend="$backend" -o "$TMP/t.db" -- "$@"
		if [ ! -s "$TMP/t.db" ]; then
			fail "no recording" "$(show)"
		elif [ "$(sql "$TMP/t.db" 'SELECT lost FROM trace')" != 0 ]; then
			skip "records were lost"
		else
			wrong=$(sqlite3 -batch "$TMP/t.db" <"$TMP/rules.sql" 2>&1 | grep -v '|0$')
			[ -z "$wrong" ] || fail "$wrong"
		fi
		end
	done
}

consistent bash -c 'seq 1 3000 | sort -n | xargs -P 3 -n 500 echo | wc -l; (sleep 0.05; echo x) | cat'
consistent bash -c 'mkfifo f; cat f & echo hello >f; wait; for i in 1 2 3; do sh -c "exit $i" & done; wait; rm f'
consistent "$DEMOS/thread-count-mutex" --delay 0.001
consistent "$DEMOS/launchmodes" --delay 0.01
consistent "$DEMOS/philosophers" --fixed
