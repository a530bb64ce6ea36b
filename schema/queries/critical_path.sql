-- the chain of running and waiting that decided how long the run took (see pptrace path)
SELECT c.step, round(c.start_ns / 1e6, 3) AS start_ms, round((c.end_ns - c.start_ns) / 1e6, 3) AS ms,
       p.pid, t.tid, coalesce(p.program, p.name) AS process, c.what, c.link AS follows
  FROM critical_path c JOIN thread t ON t.id = c.thread_id JOIN process p ON p.id = c.process_id
 ORDER BY c.step;
