-- the system calls that signals interrupted
SELECT p.pid, p.name, g.interrupted AS call, g.name AS by_signal, count(*) AS times
  FROM signal g JOIN thread t ON t.id = g.thread_id JOIN process p ON p.id = t.process_id
 WHERE g.interrupted IS NOT NULL
 GROUP BY p.id, g.interrupted, g.signo
 ORDER BY times DESC, p.id, call;
