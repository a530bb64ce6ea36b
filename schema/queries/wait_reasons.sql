-- where each process spent its time waiting
SELECT p.pid, p.name, w.reason, count(*) AS waits,
       round(sum(coalesce(w.end_ns, tr.duration_ns) - w.start_ns) / 1e6, 3) AS total_ms,
       round(max(coalesce(w.end_ns, tr.duration_ns) - w.start_ns) / 1e6, 3) AS longest_ms,
       sum(w.end_ns IS NULL) AS not_ended
  FROM wait w JOIN thread t ON t.id = w.thread_id JOIN process p ON p.id = t.process_id, trace tr
 GROUP BY p.id, w.reason
 ORDER BY total_ms DESC, p.id, w.reason;
