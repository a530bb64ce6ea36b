-- how each process ended, when, and who reaped it
SELECT p.pid, p.name,
       CASE p.end_kind WHEN 'exit' THEN 'status ' || p.exit_code
            WHEN 'signal' THEN 'signal ' || p.exit_signal || iif(p.core_dumped, ', core dumped', '')
            ELSE 'running' END AS ended,
       round(p.start_ns / 1e6, 3) AS start_ms, round(p.end_ns / 1e6, 3) AS end_ms,
       round((p.reaped_ns - p.end_ns) / 1e6, 3) AS zombie_ms, rp.pid AS reaped_by
  FROM process p
  LEFT JOIN thread r ON r.id = p.reaper_id
  LEFT JOIN process rp ON rp.id = r.process_id
 ORDER BY p.end_ns IS NULL, p.end_ns, p.id;
