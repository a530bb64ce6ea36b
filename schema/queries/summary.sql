-- row counts of the recording
SELECT (SELECT count(*) FROM process) AS processes,
       (SELECT count(*) FROM thread) AS threads,
       (SELECT count(*) FROM exec WHERE errno IS NULL) AS execs,
       (SELECT count(*) FROM pipe) AS pipes,
       (SELECT coalesce(sum(bytes), 0) FROM pipe_io WHERE op = 'write') AS bytes_written,
       (SELECT count(*) FROM signal) AS signals,
       (SELECT count(*) FROM lock) AS locks,
       (SELECT coalesce(sum(holds), 0) FROM lock_stat) AS holds,
       (SELECT count(*) FROM wait) AS waits,
       (SELECT count(*) FROM finding) AS findings,
       round(duration_ns / 1e9, 3) AS seconds,
       lost, complete, backend
  FROM trace;
