-- the longest single hold of each lock, and where it began
SELECT l.kind, coalesce(l.name, iif(l.address, printf('0x%x', l.address), '#' || l.id)) AS lock, st.holds, st.contended,
       round(st.max_hold_ns / 1e6, 3) AS longest_hold_ms, round(st.hold_ns / 1e6, 3) AS held_ms,
       round(st.max_wait_ns / 1e6, 3) AS longest_wait_ms,
       s.function || ' ' || s.file || ':' || s.line AS longest_taken_in
  FROM lock_stat st JOIN lock l ON l.id = st.lock_id
  LEFT JOIN site s ON s.id = st.max_hold_site_id
 ORDER BY st.max_hold_ns DESC, l.id
 LIMIT 50;
