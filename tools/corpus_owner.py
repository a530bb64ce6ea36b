# corpus_owner.py - what a script for gdb finds: threads of one process that wait for mutexes which the others own.
# SPDX-License-Identifier: MIT
#
# usage: gdb -batch -p PID -x corpus_owner.py
#
# Each thread that sleeps in futex(2) is taken to wait for a mutex of glibc, whose owner stands 8 bytes behind the
# word that it sleeps on (__data.__owner). Owners are followed until one is met again. This is what the scripts do
# that are passed around for that purpose.
import gdb

FUTEX = 202


def value(expression):
    try:
        return int(gdb.parse_and_eval(expression))
    except gdb.error:
        return 0


waits = {}
for thread in gdb.selected_inferior().threads():
    thread.switch()
    gdb.newest_frame().select()
    if value('(long)$orig_rax') == FUTEX:
        waits[thread.ptid[1]] = value('*(int *)($rdi + 8)')
print('LOOKED at %d threads' % len(gdb.selected_inferior().threads()))
for first in waits:
    seen, at = set(), first
    while at in waits and at not in seen:
        seen.add(at)
        at = waits[at]
    if at in seen and waits.get(at):
        print('DEADLOCK: thread %d waits for a mutex that thread %d owns' % (at, waits[at]))
        break
