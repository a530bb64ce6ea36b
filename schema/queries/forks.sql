-- how many processes each process created
SELECT p.pid, p.name, count(*) AS children,
       round(min(c.start_ns) / 1e6, 3) AS first_ms, round(max(c.start_ns) / 1e6, 3) AS last_ms,
       sum(c.end_kind = 'exit' AND c.exit_code = 0) AS succeeded,
       sum(coalesce(c.reaped_ns IS NULL AND c.end_ns IS NOT NULL, 0)) AS never_reaped
  FROM process c JOIN process p ON p.id = c.parent_id
 GROUP BY p.id
 ORDER BY children DESC, p.id;
