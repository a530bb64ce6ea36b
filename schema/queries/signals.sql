-- every signal: from whom, to whom, and what became of it
SELECT round(coalesce(g.sent_ns, g.delivered_ns) / 1e6, 3) AS ms, g.name,
       coalesce(sp.pid, g.source) AS sender, p.pid AS receiver, p.name AS receiver_name, g.result,
       g.disposition, s.function AS handler, round((g.delivered_ns - g.sent_ns) / 1e6, 3) AS pending_ms,
       g.interrupted
  FROM signal g
  LEFT JOIN thread st ON st.id = g.sender_id LEFT JOIN process sp ON sp.id = st.process_id
  LEFT JOIN process p ON p.id = g.process_id
  LEFT JOIN site s ON s.id = g.handler_site_id
 ORDER BY coalesce(g.sent_ns, g.delivered_ns), g.id;
