-- what pptrace found when the recording ended; `pptrace diagnose` says more
SELECT severity, rule, certainty, round(ts_ns / 1e6, 3) AS ms, summary
  FROM finding
 ORDER BY CASE severity WHEN 'error' THEN 0 WHEN 'warning' THEN 1 ELSE 2 END, ts_ns, id;
