-- what is missing: events lost, and what this recording could not see
SELECT 'lost' AS what, source || ': ' || kind AS detail, count FROM lost
UNION ALL
SELECT 'not seen', value, NULL
  FROM trace, json_each(iif(json_valid(blind_spots), blind_spots, '[]'));
