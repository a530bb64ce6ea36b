-- every thread with the function it runs and how long it lived
SELECT p.pid, t.tid, coalesce(t.runtime_name, t.name) AS name, iif(t.is_main, 'main thread', s.function) AS runs,
       s.file || ':' || s.line AS place,
       round(t.start_ns / 1e6, 3) AS start_ms, round(t.end_ns / 1e6, 3) AS end_ms
  FROM thread t JOIN process p ON p.id = t.process_id
  LEFT JOIN thread_start s ON s.thread_id = t.id AND s.runtime IS NULL
 ORDER BY t.start_ns, t.id;
