"""What ties a table to a service, and what does not."""

import pytest

ties = pytest.importorskip("tests.statements.ties", exc_type=ImportError)
TABLES = ("g", "c", "t")
TIED = [
    "SELECT * FROM g WHERE service_id = 1 AND id = 2",
    "SELECT * FROM g WHERE g.service_id = $1",
    "SELECT * FROM g WHERE g.service_id IN (1, 2)",
    "SELECT * FROM g WHERE g.service_id = ANY('{1}'::bigint[])",
    "SELECT * FROM g JOIN c ON c.id = g.client_id AND c.service_id = g.service_id WHERE g.service_id = 1",
    "SELECT * FROM c LEFT JOIN g ON g.service_id = c.service_id WHERE c.service_id = 1",
    "SELECT * FROM grant_management_service s JOIN g ON g.service_id = s.id WHERE s.id = 1",
    "WITH o AS (SELECT * FROM g WHERE g.service_id = 1) SELECT * FROM o",
    "SELECT * FROM (SELECT * FROM g WHERE g.service_id = 1) AS o",
    "SELECT * FROM g WHERE g.service_id = 1 AND EXISTS (SELECT 1 FROM t WHERE t.service_id = g.service_id)",
    "UPDATE g SET a = 1 WHERE g.service_id = 1 AND g.id = 2",
    "DELETE FROM g WHERE g.service_id = 1",
    "INSERT INTO g (id, service_id) VALUES (1, 2)",
    "DECLARE one CURSOR FOR SELECT * FROM g WHERE g.service_id = 1",
    "COPY g (id, service_id) FROM STDIN (FORMAT BINARY)",
    "COPY (SELECT * FROM g WHERE g.service_id = 1) TO STDOUT",
    "SELECT * FROM elsewhere",
    "SELECT * FROM g WHERE g.service_id IN (SELECT id FROM elsewhere)",
    "SELECT * FROM g WHERE g.service_id = ANY(ARRAY[1, 2]::bigint[])",
    "SELECT * FROM g JOIN c ON c.service_id = g.service_id AND c.service_id = 1",
    "SELECT * FROM g RIGHT JOIN c ON g.service_id = c.service_id WHERE c.service_id = 1",
]
UNTIED = [
    ("SELECT * FROM g", ["g"]),
    ("SELECT * FROM g WHERE g.id = 2", ["g"]),
    ("SELECT * FROM g WHERE g.service_id > 1", ["g"]),
    ("SELECT * FROM g WHERE g.service_id = 1 OR g.id = 2", ["g"]),
    ("SELECT * FROM g WHERE NOT g.service_id = 1", ["g"]),
    ("SELECT * FROM g JOIN c ON c.id = g.client_id WHERE g.service_id = 1", ["c"]),
    ("SELECT * FROM g JOIN c ON c.service_id = g.service_id", ["g", "c"]),
    ("SELECT * FROM g WHERE g.service_id = 1 AND EXISTS (SELECT 1 FROM t WHERE t.g = g.id)", ["t"]),
    ("SELECT (SELECT count(*) FROM t) FROM g WHERE g.service_id = 1", ["t"]),
    ("WITH o AS (SELECT * FROM g) SELECT * FROM o", ["g"]),
    ("SELECT * FROM g WHERE g.service_id = 1 UNION SELECT * FROM g WHERE g.id = 1", ["g"]),
    ("UPDATE g SET a = 1 WHERE g.id = 2", ["g"]),
    ("DELETE FROM g USING c WHERE g.service_id = c.service_id AND c.id = 1", ["g", "c"]),
    ("INSERT INTO g (id) VALUES (1)", ["g"]),
    ("INSERT INTO o SELECT id FROM g", ["g"]),
    (
        "INSERT INTO o (a) VALUES (1) ON CONFLICT DO NOTHING RETURNING (SELECT max(g.a) FROM g)",
        ["g"],
    ),
    ("UPDATE o SET a = 1 RETURNING (SELECT max(g.a) FROM g)", ["g"]),
    ("SELECT 1 LIMIT 1 OFFSET (SELECT count(*) FROM g)", ["g"]),
    ("SELECT DISTINCT ON ((SELECT max(g.a) FROM g)) 1", ["g"]),
    ("SELECT * FROM unnest(ARRAY(SELECT g.a FROM g)) AS o", ["g"]),
    ("COPY g (id) FROM STDIN", ["g"]),
    ("COPY g FROM STDIN", ["g"]),
    ("COPY g (id, service_id) TO STDOUT", ["g"]),
    ("COPY (SELECT * FROM g) TO STDOUT", ["g"]),
    ("SELECT * FROM g WHERE g.service_id NOT IN (1)", ["g"]),
    ("SELECT * FROM g WHERE g.service_id IN (1, g.id)", ["g"]),
    ("SELECT * FROM g WHERE g.service_id = ANY(g.a)", ["g"]),
    ("SELECT * FROM g WHERE g.service_id > ANY('{1}'::bigint[])", ["g"]),
    ("SELECT * FROM g WHERE g.service_id > ANY(SELECT id FROM elsewhere)", ["g"]),
    ("SELECT * FROM g LEFT JOIN c ON c.service_id = g.service_id AND c.service_id = 1", ["g"]),
    ("SELECT * FROM g RIGHT JOIN c ON c.service_id = g.service_id AND g.service_id = 1", ["c"]),
    ("SELECT * FROM g FULL JOIN c ON c.service_id = 1 AND g.service_id = 1", ["g", "c"]),
]


@pytest.mark.parametrize("sql", TIED)
def test_tied(sql):
    assert ties.untied(sql, TABLES) == []


@pytest.mark.parametrize(("sql", "tables"), UNTIED)
def test_untied(sql, tables):
    assert ties.untied(sql, TABLES) == tables
