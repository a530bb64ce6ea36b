-- which processes woke which others, and how often
SELECT kp.pid AS waker, kp.name AS waker_name, w.reason, p.pid AS waiter, p.name AS waiter_name,
       count(*) AS times, round(sum(w.end_ns - w.start_ns) / 1e6, 3) AS waited_ms
  FROM wait w JOIN thread t ON t.id = w.thread_id JOIN process p ON p.id = t.process_id
  JOIN thread k ON k.id = w.waker_id JOIN process kp ON kp.id = k.process_id
 GROUP BY kp.id, w.reason, p.id
 ORDER BY times DESC, kp.id, p.id, w.reason;
