-- the twenty longest waits, what for, and who ended them
SELECT p.pid, t.tid, p.name, w.reason, coalesce(l.name, pi.name, tp.name, w.detail, w.syscall) AS what,
       round(w.start_ns / 1e6, 3) AS start_ms,
       round((coalesce(w.end_ns, tr.duration_ns) - w.start_ns) / 1e6, 3) AS ms,
       CASE WHEN w.end_ns IS NULL THEN 'not ended' ELSE k.tid END AS ended_by,
       s.function || ' ' || s.file || ':' || s.line AS place
  FROM wait w JOIN thread t ON t.id = w.thread_id JOIN process p ON p.id = t.process_id, trace tr
  LEFT JOIN lock l ON l.id = w.lock_id
  LEFT JOIN pipe pi ON pi.id = w.pipe_id
  LEFT JOIN process tp ON tp.id = w.target_process_id
  LEFT JOIN thread k ON k.id = w.waker_id
  LEFT JOIN site s ON s.id = w.site_id
 ORDER BY coalesce(w.end_ns, tr.duration_ns) - w.start_ns DESC, w.id
 LIMIT 20;
