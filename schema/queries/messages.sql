-- what was written to and read from pipes, call by call
SELECT round(io.end_ns / 1e6, 3) AS ms, p.pid, p.name, io.op, coalesce(pi.name, pi.kind || ' ' || pi.id) AS pipe,
       io.bytes, io.errno, io.data, io.count
  FROM pipe_io io JOIN pipe pi ON pi.id = io.pipe_id
  JOIN thread t ON t.id = io.thread_id JOIN process p ON p.id = t.process_id
 ORDER BY io.end_ns, io.id;
