#!/usr/bin/env bash
# command.sh - pptrace demo: records a demo, shows what it did, and comes to an end.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"

begin "a deadlock also draws who waits for whom"
run "$PPTRACE" demo -o dead.db deadlock-abba
expect_status 0
expect_out '^\$ pptrace waits -T txt dead.db$'
expect_out 'waits for .* lock_[ab]'
run "$PPTRACE" demo -o fine.db deadlock-abba --fixed
expect_status 0
if grep -q '^\$ pptrace waits' out; then fail "nobody waits for anybody"; fi
end

begin "demo stuck ends by itself, and says who waited"
run "$PPTRACE" demo -o stuck.db stuck
expect_status 0
expect_err '^pptrace: timeout after 5.00 s'
expect_out '^\$ pptrace waits'
expect_out '^warning: stuck: '
end

begin "demo data-loss shows its loss"
run "$PPTRACE" demo -o loss.db data-loss
expect_status 0
expect_out '^info: data-loss: [0-9]+ records were lost'
end

begin "a demo that waits for signals says how to send them, and to end it"
"$PPTRACE" demo -o signal.db signal1 10 >out 2>err </dev/null &
wait_for 20 grep -q "^send it signals with 'kill -10 [0-9]*'; Ctrl-C ends it" err
pid=$(sed -nE "s/^send it signals with 'kill -10 ([0-9]+)'.*/\1/p" err)
expect_out '^\$ pptrace run --on-deadlock=kill --timeout=60s -o signal.db '
kill -TERM "$pid"
wait_end $!
expect_out '^\$ pptrace diagnose signal.db'
end
