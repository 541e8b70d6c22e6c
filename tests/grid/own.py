"""Edge values that one database's types have, as plain SQL literals of it."""

from __future__ import annotations

BEFORE = {
    "postgresql": (
        "CREATE EXTENSION hstore; CREATE EXTENSION citext; CREATE EXTENSION ltree; "
        "CREATE TYPE pair AS (a integer, b text)"
    ),
}
"""What has to be there before the tables."""

_ENDLESS = ("'infinity'", "'-infinity'")
_RANGES = {
    "4": ("'[1,4)'", "'(,)'", "'empty'", "'[-2147483648,)'"),
    "8": ("'[1,9223372036854775807)'", "'(,5)'", "'empty'"),
    "num": ("'[1.50,2.0]'", "'(,1)'", "'empty'", "'[NaN,)'"),
    "date": ("'[2024-02-29,2024-03-01)'", "'[-infinity,infinity]'", "'(,0044-03-15 BC)'"),
    "ts": ("'[2024-02-29 12:00,2024-02-29 12:00:00.000001]'", "'(,infinity)'", "'empty'"),
    "tstz": ("'[2024-02-29 12:00+02,2024-03-01 00:00+00]'", "'[-infinity,)'", "'empty'"),
}


def _multi(literals: tuple[str, ...]) -> tuple[str, ...]:
    return ("'{}'", "'{(,)}'", *(f"'{{{text[1:-1]}}}'" for text in literals if "empty" not in text))


_RANGE_NAMES = {"4": "INT4", "8": "INT8", "num": "NUM", "date": "DATE", "ts": "TS", "tstz": "TSTZ"}
_POSTGRESQL = {
    "NUMERIC": ("1.500", "0.0", "-0.00000000000000000001", "9" * 500, "'NaN'", "'Infinity'",
                "'-Infinity'", "1e100"),
    "NUMERIC(5, 2)": ("'NaN'",),
    "DOUBLE PRECISION": ("'-0'", "'NaN'", "'Infinity'", "'-Infinity'"),
    "REAL": ("'-0'", "'NaN'", "'Infinity'", "'-Infinity'"),
    "DATE": (*_ENDLESS, "'0044-03-15 BC'", "'4713-01-01 BC'", "'10000-01-01'", "'5874897-12-31'"),
    "TIMESTAMP WITHOUT TIME ZONE": (*_ENDLESS, "'0044-03-15 12:00:00.5 BC'",
                                    "'294276-12-31 23:59:59.999999'", "'4713-01-01 00:00 BC'"),
    "TIMESTAMP WITH TIME ZONE": (*_ENDLESS, "'0044-03-15 12:00:00.5+00 BC'",
                                 "'294276-12-31 23:59:59.999999+00'", "'2024-06-01 12:00+05:30'"),
    "TIME WITHOUT TIME ZONE": ("'24:00:00'",),
    "TIME WITH TIME ZONE": ("'00:00:00+00'", "'24:00:00-15:59'", "'12:34:56.789012+05:30'",
                            "'23:59:59.999999-08:00:01'"),
    "INTERVAL": ("'1 mon'", "'-1 year 2 days -00:00:00.000001'", "'36:00:00'", "'178000000 years'",
                 "'1 mon -1 day'", "'-00:00:01'"),
    "MONEY": ("0", "0.01", "-0.01", "1234.56", "'92233720368547758.07'", "'-92233720368547758.08'"),
    "OID": ("4294967295",),
    "INET": ("'10.0.0.1'", "'10.0.0.1/8'", "'::1'", "'2001:db8::ff00:42:8329/64'",
             "'0.0.0.0/0'"),
    "CIDR": ("'10.0.0.0/8'", "'192.168.1.1/32'", "'::/0'", "'2001:db8::/32'"),
    "MACADDR": ("'08:00:2b:01:02:03'", "'ff:ff:ff:ff:ff:ff'"),
    "MACADDR8": ("'08:00:2b:01:02:03:04:05'", "'00:00:00:00:00:00:00:00'"),
    "TSVECTOR": ("''", "'a:1A fat:2 cat:3'", "$$'it''s':1 'b c':2$$"),
    "TSQUERY": ("'fat & (rat | !cat)'", "'super:*A'", "'a <-> b'"),
    "REGCLASS": ("'pg_class'", "'pg_type'"),
    "HSTORE": ("''", "'a=>1,b=>NULL'", '$$"k y"=>"v, \\" w"$$'),
    "CITEXT": ("'Mixed CASE'", "'é'"),
    "positive": ("1", "2147483647"),
    "xml": ("'<a b=\"1\">x &amp; y</a>'", "'<a/><b/>'", "'text'"),
    "point": ("'(1.5,-2)'", "'(Infinity,NaN)'", "'(0.1,5e-324)'"),
    "line": ("'{1,-1,0}'",),
    "lseg": ("'[(0,0),(1.5,1)]'",),
    "box": ("'(1,1),(0,0)'",),
    "path": ("'[(0,0),(1,1)]'", "'((0,0),(1,1))'"),
    "polygon": ("'((0,0),(1,1),(1,0))'",),
    "circle": ("'<(0,0),1.5>'",),
    "jsonpath": ("'$.a[*] ? (@ > 1)'",),
    "pg_lsn": ("'16/B374D848'", "'0/0'"),
    "ltree": ("'Top.Science.Astronomy'", "''"),
    "money[]": ("'{$1.00,-$2.50}'", "'{}'"),
    "pair": ("ROW(1, 'a, \"b\"')", "ROW(NULL, '')", "ROW(NULL, NULL)"),
    "name": ("'abc'", "'it''s'"),
    "INTEGER[]": ("'{}'", "'{1,NULL,-3}'", "'{{1,2},{3,4}}'", "'[0:1]={1,2}'",
                  "'[-1:0][2:2]={{1},{2}}'"),
    "TEXT[]": ("'{}'", "ARRAY['', 'NULL', 'null', 'a,b', '\"', '\\', '{', ' ', 'é🧀', E'\\n']",
               "'{NULL}'", "'{{a,b}}'"),
    "BOOLEAN[]": ("'{t,f,NULL}'",),
    "NUMERIC[]": ("'{1.50,-0.00000001,12345678901234567890123456789.123}'", "'{NaN}'",
                  "'{Infinity}'"),
    "TIMESTAMP WITHOUT TIME ZONE[]": ("'{2024-02-29 12:00:00.5,infinity}'", "'{0044-03-15 BC}'"),
    "DOUBLE PRECISION[]": ("'{0.1,1e300,5e-324,-0}'", "'{NaN,Infinity,-Infinity}'"),
    "UUID[]": ("'{6ba7b810-9dad-11d1-80b4-00c04fd430c8}'",),
    "BYTEA[]": (r"""'{"\\x00ff","\\x"}'""",),
    "JSONB[]": ("""ARRAY['{"a": 1.50}', 'null', '"x"']::jsonb[]""",),
    "INET[]": ("'{10.0.0.1,::1/64}'",),
    **{f"{_RANGE_NAMES[key]}RANGE": values for key, values in _RANGES.items()},
    **{f"{_RANGE_NAMES[key]}MULTIRANGE": _multi(values) for key, values in _RANGES.items()},
}  # fmt: skip
_MYSQL = {
    "DOUBLE": ("-0e0",),
    "DATE": ("'0000-00-00'", "'2024-02-00'", "'0000-01-01'"),
    "DATETIME": ("'0000-00-00 00:00:00'", "'2024-00-00 12:00:00'"),
    "DATETIME(6)": ("'0000-00-00 00:00:00'", "'0000-01-01 00:00:00.000001'"),
    "TIMESTAMP": ("'0000-00-00 00:00:00'", "'1970-01-01 00:00:01'", "'2038-01-19 03:14:07'"),
    "TIMESTAMP(6)": ("'0000-00-00 00:00:00'", "'1970-01-01 00:00:01'",
                     "'2038-01-19 03:14:07.999999'"),
    "TIME": ("'838:59:59'", "'-838:59:59'", "'24:00:00'", "'-00:00:01'"),
    "TIME(6)": ("'838:59:59.999999'", "'-838:59:59.999999'", "'24:00:00'", "'-00:00:00.000001'"),
    "YEAR": ("0", "1901", "2155"),
    "INET4": ("'0.0.0.0'", "'255.255.255.255'"),
    "INET6": ("'::'", "'::ffff:10.0.0.1'", "'2001:db8::ff00:42:8329'"),
    "CHAR(3)": ("''",),
}  # fmt: skip
_SQLITE = {
    "TEXT": ("'a' || char(0) || 'b'",),
    "FLOAT": ("-0.0", "9e999", "-9e999"),
    "BIGINT": ("-9223372036854775807 - 1",),
}
LITERALS: dict[str, dict[str, tuple[str, ...]]] = {
    "postgresql": _POSTGRESQL,
    "mysql": _MYSQL,
    "sqlite": _SQLITE,
}
"""By the type as DDL spells it."""
ONLY = {"YEAR", "REGCLASS", "MONEY", "CITEXT", "positive", "TIME WITH TIME ZONE"}
"""Types whose literals are those above alone: the ones made for the kind are none of theirs."""
