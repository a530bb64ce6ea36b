-- the locks that are held at the end, by whom and since when
SELECT l.kind, coalesce(l.name, iif(l.address, printf('0x%x', l.address), '#' || l.id)) AS lock, p.pid, t.tid, p.name, o.mode, o.depth,
       round(o.acquire_ns / 1e6, 3) AS since_ms, s.function || ' ' || s.file || ':' || s.line AS taken_in,
       iif(t.end_ns IS NULL, '', 'holder has ended') AS note
  FROM lock_open o JOIN lock l ON l.id = o.lock_id
  JOIN thread t ON t.id = o.thread_id JOIN process p ON p.id = t.process_id
  LEFT JOIN site s ON s.id = o.site_id
 ORDER BY o.acquire_ns, l.id, t.id;
