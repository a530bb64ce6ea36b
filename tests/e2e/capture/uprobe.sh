#!/usr/bin/env bash
# uprobe.sh - every lock by uprobes: --locks=uprobe.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"

begin "a program that has ended before it is looked at has its locks and places named"
run "$PPTRACE" run -q --backend=ebpf --locks=uprobe -o t.db "$DEMOS/thread-count-mutex" --delay 0.01
expect_status 0
expect_sql t.db "SELECT l.name, s.function, count(*) FROM lock_hold h JOIN lock l ON l.id = h.lock_id
	JOIN site s ON s.id = h.site_id WHERE s.function = 'counter' GROUP BY 1, 2" "print_mutex|counter|30"
expect_sql t.db "SELECT DISTINCT lock_source FROM exec" "uprobe"
end

begin "without the preload library, too, a thread is known by the function that it runs"
if need_ebpf; then
	run "$PPTRACE" run -q --backend=ebpf --locks=futex -o f.db "$DEMOS/philosophers" --fixed
	expect_status 0
	expect_sql f.db "SELECT DISTINCT s.function FROM thread t LEFT JOIN site s ON s.id = t.entry_site_id WHERE NOT t.is_main" dine
fi
end

begin "a static program's locks are recorded too"
cat >"$TMP/s.c" <<'C'
#include <pthread.h>
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
int main(void)
{
	for (int i = 0; i < 7; i++) {
		pthread_mutex_lock(&gate);
		pthread_mutex_unlock(&gate);
	}
	return 0;
}
C
run gcc -static -g -o "$TMP/s" "$TMP/s.c"
expect_status 0
run "$PPTRACE" run -q --backend=ebpf --locks=uprobe -o s.db "$TMP/s"
expect_status 0
expect_sql s.db "SELECT count(*) FROM lock_hold h JOIN lock l ON l.id = h.lock_id WHERE l.name = 'gate'" 7
end
