-- views.sql - the views for what users ask. SPDX-License-Identifier: MIT
--
-- Each view says what a row is in its first line; `pptrace query` lists those lines.

CREATE VIEW thread_start AS -- the function that each thread starts in; runtime: the language that starts all of its threads there, so that it tells none from another
SELECT t.id AS thread_id, s.function, s.file, s.line,
       CASE WHEN s.module GLOB '*/libjvm.so' OR s.module GLOB '*/libjli.so' OR s.function GLOB 'thread_native_entry*' THEN 'java'
            WHEN s.module GLOB '*/libruby*.so*' OR s.module GLOB '*/ruby' OR s.module GLOB '*/ruby[0-9]*' THEN 'ruby'
            WHEN s.module GLOB '*/libpython*' OR s.module GLOB '*/python' OR s.module GLOB '*/python[0-9]*'
                 OR s.function = 'pythread_wrapper' THEN 'python'
            WHEN s.module GLOB '*/libnode.so*' OR s.module GLOB '*/node' OR s.module GLOB '*/nodejs' OR s.function GLOB 'node::*'
                 OR s.function GLOB 'v8::*' THEN 'node'
            WHEN s.function GLOB 'runtime.*' OR (s.function = 'threadentry' AND coalesce(s.file, 'gcc_.c') GLOB '*gcc_*.c') THEN 'go'
            WHEN s.module GLOB '*/libgomp.so*' OR s.module GLOB '*/libomp.so*' OR s.module GLOB '*/libomp5.so*' OR s.module GLOB '*/libiomp5.so*'
                 OR s.function IN ('gomp_thread_start', '__kmp_launch_worker') THEN 'openmp'
       END AS runtime
  FROM thread t JOIN site s ON s.id = t.entry_site_id;

CREATE VIEW thread_name AS -- what each thread is called everywhere: by its language, by the program, or by the function that it starts in
SELECT t.id AS thread_id,
       coalesce(iif(t.is_main, coalesce(p.title, p.program, p.name), NULL), t.runtime_name,
                -- A thread that was given no name has that of the thread which made it, mostly the program's, cut to 15 bytes.
                iif(t.name <> coalesce(c.name, '') AND instr(coalesce(p.name, ''), t.name) <> 1, t.name, NULL),
                -- Not a LEFT JOIN: of a view of two tables SQLite makes all rows for it, each time that one name is asked for.
                (SELECT s.function FROM thread_start s WHERE s.thread_id = t.id AND s.runtime IS NULL), t.name, 'thread') AS name
  FROM thread t JOIN process p ON p.id = t.process_id
  LEFT JOIN thread c ON c.id = t.creator_id;

CREATE VIEW process_tree AS -- every process below the one that made it, depth first
WITH RECURSIVE tree(id, depth, path) AS (
    SELECT id, 0, CAST(pid AS TEXT) FROM process
     WHERE parent_id IS NULL OR parent_id NOT IN (SELECT id FROM process)
    UNION ALL
    SELECT p.id, tree.depth + 1, tree.path || '/' || p.pid
      FROM tree JOIN process p ON p.parent_id = tree.id AND tree.depth < 1000
     ORDER BY 2 DESC, 1
)
SELECT tree.id AS process_id, tree.depth, tree.path, p.pid, pp.pid AS parent_pid, p.name, p.command,
       p.created_by, p.start_ns, p.end_ns,
       CASE p.end_kind WHEN 'exit' THEN 'status ' || p.exit_code
            WHEN 'signal' THEN 'signal ' || p.exit_signal || iif(p.core_dumped, ', core dumped', '')
            ELSE 'running' END AS ended,
       (SELECT count(*) FROM thread t WHERE t.process_id = p.id) AS threads,
       (SELECT count(*) FROM exec e WHERE e.process_id = p.id AND e.errno IS NULL) AS execs
  FROM tree JOIN process p ON p.id = tree.id LEFT JOIN process pp ON pp.id = p.parent_id;

CREATE VIEW event AS -- everything that happened, one line of text each; intervals at their start
SELECT e.ts_ns, e.kind, e.process_id, e.thread_id, p.pid, t.tid, p.name, e.text
  FROM (
    SELECT p.start_ns AS ts_ns, 'process' AS kind, coalesce(c.process_id, p.id) AS process_id,
           coalesce(p.creator_id, (SELECT t.id FROM thread t WHERE t.process_id = p.id AND t.is_main)) AS thread_id,
           CASE WHEN p.creator_id IS NULL THEN iif(p.start_ns < 0, 'was there before the trace', 'starts')
                ELSE coalesce(p.created_by, 'fork') || ' = ' || p.pid END AS text
      FROM process p LEFT JOIN thread c ON c.id = p.creator_id
     WHERE p.start_ns IS NOT NULL
    UNION ALL
    SELECT t.start_ns, 'thread', t.process_id, coalesce(t.creator_id, t.id),
           'thread ' || t.tid || coalesce(' runs ' || s.function, '') || coalesce(' (' || coalesce(t.runtime_name, t.name) || ')', '')
      FROM thread t LEFT JOIN thread_start s ON s.thread_id = t.id AND s.runtime IS NULL
     WHERE NOT t.is_main AND t.start_ns IS NOT NULL
    UNION ALL
    SELECT x.ts_ns, 'exec', x.process_id, x.thread_id,
           'exec ' || coalesce(x.path, '?') || ' ' || coalesce(x.argv, '[]') ||
           iif(x.errno IS NULL, '', ' failed, errno ' || x.errno)
      FROM exec x
    UNION ALL
    SELECT n.ts_ns, 'title', n.process_id, (SELECT t.id FROM thread t WHERE t.process_id = n.process_id AND t.is_main),
           coalesce('calls itself ' || n.title, 'goes by its name again')
      FROM title n
    UNION ALL
    SELECT t.end_ns, 'exit', t.process_id, t.id, 'thread ' || t.tid || ' ends'
      FROM thread t WHERE NOT t.is_main AND t.end_ns IS NOT NULL
    UNION ALL
    SELECT p.end_ns, 'exit', p.id, (SELECT t.id FROM thread t WHERE t.process_id = p.id AND t.is_main),
           CASE p.end_kind WHEN 'exit' THEN 'exits with status ' || p.exit_code
                WHEN 'signal' THEN 'killed by signal ' || p.exit_signal || iif(p.core_dumped, ', core dumped', '')
                ELSE 'ends' END
      FROM process p WHERE p.end_ns IS NOT NULL
    UNION ALL
    SELECT p.reaped_ns, 'reap', r.process_id, p.reaper_id,
           'wait = ' || p.pid || CASE p.end_kind WHEN 'exit' THEN ' (status ' || p.exit_code || ')'
                WHEN 'signal' THEN ' (signal ' || p.exit_signal || ')' ELSE '' END
      FROM process p LEFT JOIN thread r ON r.id = p.reaper_id WHERE p.reaped_ns IS NOT NULL
    UNION ALL
    SELECT i.created_ns, 'pipe', c.process_id, i.creator_id,
           'creates ' || i.kind || ' ' || i.id || coalesce(' ' || i.path, '')
      FROM pipe i LEFT JOIN thread c ON c.id = i.creator_id WHERE i.created_ns IS NOT NULL
    UNION ALL
    SELECT e.open_ns, 'end', e.process_id, NULL,
           CASE e.open_via WHEN 'create' THEN 'creates' WHEN 'opened' THEN 'opens' WHEN 'dup' THEN 'duplicates to'
                WHEN 'inherit' THEN 'inherits' WHEN 'exec' THEN 'keeps across exec' WHEN 'scm' THEN 'receives' WHEN 'taken' THEN 'takes from another process'
                WHEN 'sent' THEN 'sends' WHEN 'found' THEN 'already has' ELSE 'has' END ||
           ' fd ' || coalesce(e.fd, '?') || ' (' || e.mode || ') of ' || coalesce(i.name, i.kind || ' ' || i.id)
      FROM pipe_end e JOIN pipe i ON i.id = e.pipe_id
    UNION ALL
    SELECT e.close_ns, 'end', e.process_id, NULL,
           CASE e.close_via WHEN 'replaced' THEN 'replaces' WHEN 'exec' THEN 'closes on exec' WHEN 'exit' THEN 'ends with'
                ELSE 'closes' END ||
           ' fd ' || coalesce(e.fd, '?') || ' (' || e.mode || ') of ' || coalesce(i.name, i.kind || ' ' || i.id)
      FROM pipe_end e JOIN pipe i ON i.id = e.pipe_id WHERE e.close_ns IS NOT NULL
    UNION ALL
    SELECT o.start_ns, 'io', t.process_id, o.thread_id,
           coalesce(o.call, o.op) || ' ' || coalesce(i.name, i.kind || ' ' || i.id) ||
           coalesce(' fd ' || o.fd, '') || ' = ' || coalesce(o.bytes, iif(o.errno IS NULL, '?', 'errno ' || o.errno)) ||
           iif(o.count > 1, ' in all, ' || o.count || ' times', '') ||
           coalesce(' "' || CAST(o.data AS TEXT) || '"', '') ||
           coalesce(' <' || iif(o.count > 1, 'within ', '') || round((o.end_ns - o.start_ns) / 1e6, 3) || ' ms>', '')
      FROM pipe_io o JOIN pipe i ON i.id = o.pipe_id JOIN thread t ON t.id = o.thread_id
    UNION ALL
    SELECT g.sent_ns, 'signal', s.process_id, g.sender_id,
           coalesce('sends ' || g.name || ' to ' || p.pid, 'sends ' || g.name) || ' by ' || g.source ||
           coalesce(', ' || g.result, '')
      FROM signal g LEFT JOIN thread s ON s.id = g.sender_id LEFT JOIN process p ON p.id = g.process_id
     WHERE g.sent_ns IS NOT NULL
    UNION ALL
    SELECT g.delivered_ns, 'signal', g.process_id, g.thread_id,
           'takes ' || g.name || coalesce(', ' || g.disposition, '') || coalesce(' ' || s.function, '') ||
           coalesce(', interrupts ' || g.interrupted, '')
      FROM signal g LEFT JOIN site s ON s.id = g.handler_site_id WHERE g.delivered_ns IS NOT NULL
    UNION ALL
    SELECT h.start_ns, 'handler', h.process_id, NULL,
           iif(h.disposition = 'ignored', 'ignores signal ', 'handles signal ') || h.signo ||
           coalesce(' by ' || s.function, '')
      FROM handler h LEFT JOIN site s ON s.id = h.site_id
    UNION ALL
    SELECT m.armed_ns, 'timer', m.process_id, m.thread_id,
           'arms ' || m.kind || ' timer: ' || round((m.expires_ns - m.armed_ns) / 1e6, 3) || ' ms' ||
           iif(m.interval_ns, ', then every ' || round(m.interval_ns / 1e6, 3) || ' ms', '')
      FROM timer m
    UNION ALL
    SELECT coalesce(h.request_ns, h.acquire_ns), 'lock', t.process_id, h.thread_id,
           iif(h.mode = 's', 'shares ', 'locks ') || coalesce(l.kind || ' ' || coalesce(l.name, iif(l.address, printf('0x%x', l.address), '#' || l.id)), 'lock ' || h.lock_id) ||
           coalesce(' after ' || round((h.acquire_ns - h.request_ns) / 1e6, 3) || ' ms', '') ||
           iif(h.count > 1, ' ' || h.count || ' times within ' || round((h.release_ns - h.acquire_ns) / 1e6, 3) || ' ms', '') ||
           coalesce(' for ' || round(coalesce(h.held_ns, h.release_ns - h.acquire_ns) / 1e6, 3) || ' ms', ' and still has it') ||
           iif(h.count > 1, ' in all', '') ||
           coalesce(' in ' || s.function, '') || coalesce(' (' || s.file || ':' || s.line || ')', '')
      FROM lock_hold h JOIN thread t ON t.id = h.thread_id LEFT JOIN lock l ON l.id = h.lock_id
      LEFT JOIN site s ON s.id = h.site_id
    UNION ALL
    SELECT y.start_ns, 'sync', t.process_id, y.thread_id,
           y.op || coalesce(' ' || l.kind || ' ' || coalesce(l.name, iif(l.address, printf('0x%x', l.address), '#' || l.id)), '') ||
           coalesce(' thread ' || tt.tid, '') ||
           iif(y.op LIKE 'MPI%' AND y.peer >= 0, ' rank ' || y.peer, '') || iif(y.tag >= 0, ' tag ' || y.tag, '') ||
           coalesce(' on ' || (SELECT coalesce(c.name, 'communicator ' || c.id) FROM mpi_comm c WHERE c.id = y.comm_id), '') ||
           coalesce(' = ' || y.result, ' = ?') ||
           coalesce(' <' || round((y.end_ns - y.start_ns) / 1e6, 3) || ' ms>', ' not ended') ||
           coalesce(' in ' || s.function, '') || coalesce(' (' || s.file || ':' || s.line || ')', '')
      FROM sync y JOIN thread t ON t.id = y.thread_id LEFT JOIN lock l ON l.id = y.lock_id
      LEFT JOIN thread tt ON tt.id = y.target_id LEFT JOIN site s ON s.id = y.site_id
    UNION ALL
    SELECT w.start_ns, 'wait', t.process_id, w.thread_id,
           'waits: ' || w.reason || coalesce(' ' || coalesce(l.name, l.kind || iif(l.address, printf(' 0x%x', l.address), ' #' || l.id)), '') ||
           coalesce(' ' || coalesce(i.name, i.kind || ' ' || i.id), '') || coalesce(' process ' || tp.pid, '') ||
           coalesce(' thread ' || tt.tid, '') || coalesce(' ' || w.detail, '') || coalesce(' in ' || w.syscall, '') ||
           coalesce(' <' || round((w.end_ns - w.start_ns) / 1e6, 3) || ' ms>', ' not ended') ||
           coalesce(', ended by ' || k.tid, '')
      FROM wait w JOIN thread t ON t.id = w.thread_id LEFT JOIN lock l ON l.id = w.lock_id
      LEFT JOIN pipe i ON i.id = w.pipe_id LEFT JOIN process tp ON tp.id = w.target_process_id
      LEFT JOIN thread tt ON tt.id = w.target_thread_id LEFT JOIN thread k ON k.id = w.waker_id
    UNION ALL
    SELECT g.start_ns, 'lost', NULL, NULL,
           g.count || iif(g.count = 1, ' event', ' events') || ' lost (' || iif(g.kind = 'any', '', g.kind || ' from ') || g.source || ')' ||
           ' until ' || round(g.end_ns / 1e9, 3) || ' s'
      FROM gap g
    UNION ALL
    SELECT f.ts_ns, 'finding', m.process_id, m.thread_id, f.severity || ': ' || f.rule || ': ' || f.summary
      FROM finding f LEFT JOIN finding_member m ON m.finding_id = f.id
       AND m.ordinal = (SELECT min(ordinal) FROM finding_member x WHERE x.finding_id = f.id)
     WHERE f.ts_ns IS NOT NULL
  ) e
  LEFT JOIN thread t ON t.id = e.thread_id
  LEFT JOIN process p ON p.id = e.process_id
 ORDER BY e.ts_ns;

CREATE VIEW lock_contention AS -- contention of each lock, the worst first
SELECT l.id AS lock_id, l.kind, coalesce(l.name, iif(l.address, printf('0x%x', l.address), '#' || l.id)) AS lock, p.pid, st.threads, st.holds,
       st.contended, st.wait_ns, st.max_wait_ns, st.hold_ns, st.max_hold_ns,
       s.function || ' (' || s.file || ':' || s.line || ')' AS longest_hold_in
  FROM lock_stat st JOIN lock l ON l.id = st.lock_id
  LEFT JOIN process p ON p.id = l.process_id LEFT JOIN site s ON s.id = st.max_hold_site_id
 ORDER BY st.wait_ns DESC, st.holds DESC, l.id;

CREATE VIEW lock_order AS -- which lock was taken while which was held; opposite = 1: another thread did it the other way round
WITH pair AS ( -- who did each, so that the other order is found by an index that SQLite makes for the join
    SELECT from_lock_id AS held_id, to_lock_id AS taken_id, min(thread_id) AS one, max(thread_id) AS another
      FROM lock_edge GROUP BY 1, 2
)
SELECT e.from_lock_id, coalesce(a.name, iif(a.address, printf('0x%x', a.address), '#' || a.id)) AS held,
       e.to_lock_id, coalesce(b.name, iif(b.address, printf('0x%x', b.address), '#' || b.id)) AS taken,
       e.thread_id, t.tid, e.count, e.first_ns, e.last_ns, e.tried,
       fs.function || ' (' || fs.file || ':' || fs.line || ')' AS held_since,
       ts.function || ' (' || ts.file || ':' || ts.line || ')' AS taken_in,
       coalesce(o.one <> e.thread_id OR o.another <> e.thread_id, 0) AS opposite
  FROM lock_edge e JOIN lock a ON a.id = e.from_lock_id JOIN lock b ON b.id = e.to_lock_id
  JOIN thread t ON t.id = e.thread_id
  LEFT JOIN pair o ON o.held_id = e.to_lock_id AND o.taken_id = e.from_lock_id
  LEFT JOIN site fs ON fs.id = e.from_site_id LEFT JOIN site ts ON ts.id = e.to_site_id
 ORDER BY e.first_ns, e.id;

CREATE VIEW pipe_flow AS -- who sends how much to whom: each writer of a pipe with each of its readers
WITH call AS ( -- by thread first: the many rows are joined with nothing
    SELECT pipe_id, thread_id, op, side, sum(coalesce(count, 1)) AS calls, coalesce(sum(bytes), 0) AS bytes
      FROM pipe_io GROUP BY 1, 2, 3, 4
), flow AS (
    SELECT c.pipe_id, t.process_id, c.op, c.side, sum(c.calls) AS calls, sum(c.bytes) AS bytes
      FROM call c JOIN thread t ON t.id = c.thread_id
     GROUP BY 1, 2, 3, 4
)
SELECT i.id AS pipe_id, i.kind, coalesce(i.name, i.kind || ' ' || i.id) AS pipe,
       w.process_id AS writer_id, wp.pid AS writer_pid, coalesce(wp.program, wp.name) AS writer, w.calls AS writes, w.bytes AS written,
       r.process_id AS reader_id, rp.pid AS reader_pid, coalesce(rp.program, rp.name) AS reader, r.calls AS reads, r.bytes AS read
  FROM pipe i
  JOIN flow w ON w.pipe_id = i.id AND w.op = 'write'
  LEFT JOIN flow r ON r.pipe_id = i.id AND r.op = 'read' AND (i.kind NOT IN ('socketpair', 'unix', 'tcp', 'pty') OR r.side <> w.side)
  JOIN process wp ON wp.id = w.process_id
  LEFT JOIN process rp ON rp.id = r.process_id
 ORDER BY i.id, w.process_id, r.process_id;

CREATE VIEW signal_flow AS -- who sent which signals to whom, and what became of them
SELECT g.name AS signal, coalesce(sp.pid, g.source) AS sender, coalesce(sp.program, sp.name) AS sender_name,
       p.pid AS receiver, coalesce(p.program, p.name) AS receiver_name, count(*) AS sent,
       sum(g.delivered_ns IS NOT NULL) AS taken, sum(coalesce(g.disposition = 'handler', 0)) AS handled,
       sum(coalesce(g.result = 'coalesced', 0)) AS coalesced, sum(coalesce(g.result = 'ignored', 0)) AS ignored,
       sum(g.interrupted IS NOT NULL) AS interrupting
  FROM signal g
  LEFT JOIN thread st ON st.id = g.sender_id LEFT JOIN process sp ON sp.id = st.process_id
  LEFT JOIN process p ON p.id = g.process_id
 GROUP BY g.signo, sp.id, g.source, g.process_id
 ORDER BY min(coalesce(g.sent_ns, g.delivered_ns)), g.signo;

CREATE VIEW zombie AS -- ended processes that their living parent did not reap, or only after a second
SELECT c.id AS process_id, c.pid, c.name, p.pid AS parent_pid, p.name AS parent, c.end_ns, c.reaped_ns,
       min(coalesce(c.reaped_ns, tr.duration_ns), coalesce(p.end_ns, tr.duration_ns)) - c.end_ns AS zombie_ns
  FROM process c JOIN process p ON p.id = c.parent_id, trace tr
 WHERE c.end_ns IS NOT NULL AND coalesce(c.autoreap, 0) = 0
   AND c.end_ns < coalesce(p.end_ns, tr.duration_ns)
   AND (c.reaped_ns IS NULL OR c.reaped_ns > p.end_ns OR c.reaped_ns - c.end_ns >= 1000000000)
 ORDER BY c.end_ns, c.id;

CREATE VIEW orphan AS -- processes that outlived their parent
SELECT c.id AS process_id, c.pid, c.name, p.pid AS parent_pid, p.name AS parent, p.end_ns AS parent_end_ns,
       c.end_ns, coalesce(c.end_ns, tr.duration_ns) - p.end_ns AS orphan_ns
  FROM process c JOIN process p ON p.id = c.parent_id, trace tr
 WHERE p.end_ns IS NOT NULL AND (c.end_ns IS NULL OR c.end_ns > p.end_ns)
 ORDER BY c.start_ns, c.id;

CREATE VIEW unclosed_pipe_end AS -- pipe ends that a process kept to its end without ever using them
SELECT e.pipe_id, coalesce(i.name, i.kind || ' ' || i.id) AS pipe, e.process_id, p.pid, p.name, e.fd, e.mode,
       e.open_ns, e.open_via, e.close_ns, e.close_via
  FROM pipe_end e JOIN pipe i ON i.id = e.pipe_id JOIN process p ON p.id = e.process_id
 WHERE (e.close_ns IS NULL OR e.close_via = 'exit')
   AND NOT EXISTS (SELECT 1 FROM pipe_io io JOIN thread t ON t.id = io.thread_id
                    WHERE io.pipe_id = e.pipe_id AND t.process_id = e.process_id
                      AND io.side = e.side AND (e.mode = 'rw' OR substr(io.op, 1, 1) = e.mode))
 ORDER BY e.pipe_id, e.process_id, e.fd;

