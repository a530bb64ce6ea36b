-- the ends of pipes that are open at the end, or were closed only by exit
SELECT coalesce(pi.name, pi.kind || ' ' || pi.id) AS pipe, e.mode, p.pid, p.name, e.fd, e.open_via,
       round(e.open_ns / 1e6, 3) AS open_ms, e.close_via
  FROM pipe_end e JOIN pipe pi ON pi.id = e.pipe_id JOIN process p ON p.id = e.process_id
 WHERE e.close_ns IS NULL OR e.close_via = 'exit'
 ORDER BY pi.id, e.mode, p.id, e.fd;
