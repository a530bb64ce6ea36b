-- wait_for.sql - who waits for whom, in plain SQL. SPDX-License-Identifier: MIT

CREATE VIEW wait_for AS -- who waits at the end for what, and who could end that: one row for each who could
WITH waiting AS (
    SELECT w.*, t.process_id, p.name || '[' || p.pid || ']' AS process,
           p.name || '[' || p.pid || ']' || iif(t.is_main, '', '/' || t.tid) AS waiter
      FROM wait w JOIN thread t ON t.id = w.thread_id JOIN process p ON p.id = t.process_id
     WHERE w.end_ns IS NULL
), blocking(wait_id, thread_id, process_id) AS (
    -- locks: whoever holds them; a reader waits for the writer that holds it
    SELECT w.id, o.thread_id, o.process_id FROM waiting w JOIN lock_open o ON o.lock_id = w.lock_id
      JOIN lock l ON l.id = w.lock_id
     WHERE w.reason IN ('lock', 'file-lock', 'lock-poll') AND (l.kind <> 'rwlock' OR w.mode IS NOT 's' OR o.mode = 'x')
    UNION -- a reader that waits though only readers hold the lock: the writers before it
    SELECT w.id, v.thread_id, v.process_id FROM waiting w JOIN waiting v ON v.lock_id = w.lock_id AND v.mode = 'x'
      JOIN lock l ON l.id = w.lock_id AND l.kind = 'rwlock'
     WHERE w.reason = 'lock' AND w.mode = 's' AND v.id <> w.id
       AND NOT EXISTS (SELECT 1 FROM lock_open o WHERE o.lock_id = w.lock_id AND o.mode = 'x')
    UNION -- the owner that was read when it blocked
    SELECT w.id, w.target_thread_id, NULL FROM waiting w
     WHERE w.reason = 'lock' AND w.target_thread_id IS NOT NULL
       AND NOT EXISTS (SELECT 1 FROM lock_open o WHERE o.lock_id = w.lock_id)
    UNION -- a semaphore that is used as a lock: its last taker
    SELECT w.id, s.last_taker_id, NULL FROM waiting w JOIN lock l ON l.id = w.lock_id JOIN lock_stat s ON s.lock_id = l.id
     WHERE w.reason = 'sem' AND l.initial = 1 AND l.from_birth AND s.foreign_posts = 0 AND s.last_taker_id <> w.thread_id
    UNION -- other semaphores, conditions, barriers, futexes: every other thread of the process, or of those that map it
    SELECT w.id, t.id, t.process_id FROM waiting w JOIN lock l ON l.id = w.lock_id
      JOIN thread t ON t.end_ns IS NULL AND t.id <> w.thread_id
     WHERE w.reason IN ('cond', 'barrier', 'futex', 'sem')
       AND (t.process_id = l.process_id
            OR t.process_id IN (SELECT u.process_id FROM lock_user u WHERE u.lock_id = l.id AND u.end_ns IS NULL))
       AND NOT (w.reason = 'sem' AND l.initial = 1 AND l.from_birth
                AND EXISTS (SELECT 1 FROM lock_stat s WHERE s.lock_id = l.id AND s.foreign_posts = 0
                               AND s.last_taker_id <> w.thread_id))
    UNION -- join, once
    SELECT w.id, w.target_thread_id, NULL FROM waiting w WHERE w.reason IN ('join', 'once')
    UNION -- vfork, and a child that was asked for
    SELECT w.id, NULL, w.target_process_id FROM waiting w
     WHERE w.reason IN ('vfork', 'child') AND w.target_process_id IS NOT NULL
    UNION -- any child
    SELECT w.id, NULL, c.id FROM waiting w JOIN process c ON c.parent_id = w.process_id AND c.end_ns IS NULL
     WHERE w.reason = 'child' AND w.target_process_id IS NULL
    UNION -- pipes, alone or in a set: whoever holds the opposite end
    SELECT s.wait_id, NULL, e.process_id
      FROM (SELECT id AS wait_id, pipe_id, side, iif(reason = 'pipe-read', 'r', 'w') AS mode FROM waiting
             WHERE reason IN ('pipe-read', 'pipe-write')
            UNION ALL
            SELECT o.wait_id, o.pipe_id, o.side, o.mode FROM wait_on o JOIN waiting w ON w.id = o.wait_id) s
      JOIN pipe i ON i.id = s.pipe_id JOIN pipe_end e ON e.pipe_id = s.pipe_id AND e.close_ns IS NULL
     WHERE CASE WHEN i.kind IN ('socketpair', 'unix', 'tcp', 'pty') THEN e.side <> coalesce(s.side, 0)
                ELSE (instr(s.mode, 'r') AND instr(e.mode, 'w')) OR (instr(s.mode, 'w') AND instr(e.mode, 'r')) END
    UNION -- pidfds in a set
    SELECT o.wait_id, NULL, o.process_id FROM wait_on o JOIN waiting w ON w.id = o.wait_id
     WHERE o.process_id IS NOT NULL
    UNION -- FIFO open: every other process
    SELECT w.id, NULL, p.id FROM waiting w JOIN process p ON p.end_ns IS NULL AND p.id <> w.process_id
     WHERE w.reason = 'fifo-open'
)
SELECT w.waiter, w.reason,
       CASE WHEN l.id IS NOT NULL THEN iif(l.kind = 'file', coalesce(l.type, l.kind), l.kind) || ' ' || coalesce(l.name, printf('0x%x', l.address), '#' || l.id)
            WHEN i.id IS NOT NULL THEN coalesce(i.path, i.name, i.kind || ' ' || i.id)
            ELSE w.detail END AS resource,
       coalesce(bp.name || '[' || bp.pid || ']' || iif(bt.id IS NULL OR bt.is_main, '', '/' || bt.tid), '(outside)') AS blocker,
       w.start_ns AS since_ns,
       CASE WHEN w.timed THEN 'live'
            WHEN w.reason IN ('lock', 'join', 'once', 'vfork', 'file-lock')
                 OR (w.reason = 'child' AND w.target_process_id IS NOT NULL) THEN 'all'
            WHEN b.wait_id IS NULL THEN 'live' ELSE 'any' END AS mode,
       w.thread_id AS waiter_thread_id, w.process_id AS waiter_process_id,
       b.thread_id AS blocker_thread_id, coalesce(b.process_id, bt.process_id) AS blocker_process_id,
       w.id AS wait_id, w.lock_id, w.pipe_id
  FROM waiting w LEFT JOIN blocking b ON b.wait_id = w.id
  LEFT JOIN lock l ON l.id = w.lock_id LEFT JOIN pipe i ON i.id = w.pipe_id
  LEFT JOIN thread bt ON bt.id = b.thread_id
  LEFT JOIN process bp ON bp.id = coalesce(b.process_id, bt.process_id)
 ORDER BY w.start_ns, w.id, b.process_id, b.thread_id;

CREATE VIEW deadlock AS -- who is in a set that cannot proceed, as found when the recording ended: one row for each member
SELECT f.id AS finding_id, f.certainty, f.shape, m.ordinal, p.pid, t.tid, p.name,
       w.reason, iif(l.kind = 'file', coalesce(l.type, l.kind), l.kind) || ' ' || coalesce(l.name, printf('0x%x', l.address), '#' || l.id) AS lock,
       coalesce(i.path, i.name) AS pipe, f.ts_ns AS since_ns,
       s.function || ' (' || s.file || ':' || s.line || ')' AS place, m.text,
       m.thread_id, m.process_id, m.lock_id, m.pipe_id, m.wait_id
  FROM finding f JOIN finding_member m ON m.finding_id = f.id
  LEFT JOIN thread t ON t.id = m.thread_id LEFT JOIN process p ON p.id = m.process_id
  LEFT JOIN wait w ON w.id = m.wait_id LEFT JOIN lock l ON l.id = m.lock_id
  LEFT JOIN pipe i ON i.id = m.pipe_id LEFT JOIN site s ON s.id = m.site_id
 WHERE f.rule IN ('deadlock', 'stuck')
 ORDER BY f.id, m.ordinal;
