-- the lines of the program in which its threads waited longest
SELECT s.function, s.file || ':' || s.line AS place, w.reason, count(*) AS waits,
       round(sum(coalesce(w.end_ns, tr.duration_ns) - w.start_ns) / 1e6, 3) AS total_ms
  FROM wait w JOIN site s ON s.id = w.site_id, trace tr
 GROUP BY s.id, w.reason
 ORDER BY total_ms DESC, s.id
 LIMIT 50;
