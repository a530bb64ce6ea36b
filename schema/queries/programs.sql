-- which programs were executed, by whom, and whether exec succeeded
SELECT round(e.ts_ns / 1e6, 3) AS ms, p.pid, e.path,
       substr((SELECT group_concat(value, ' ') FROM json_each(iif(json_valid(e.argv), e.argv, '[]'))), 1, 100) AS arguments,
       CASE WHEN e.errno IS NULL THEN 'ran' ELSE 'failed, errno ' || e.errno END AS result
  FROM exec e JOIN process p ON p.id = e.process_id
 ORDER BY e.ts_ns, e.id;
