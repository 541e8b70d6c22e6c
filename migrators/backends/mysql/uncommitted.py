"""Who has written something that is not committed: sessions, and transactions without one.

INNODB_TRX would say so in rows, but what it says is renewed only where nobody has read it for
0.1 s (InnoDB's CACHE_MIN_IDLE_TIME_NS): beside a monitor that asks often it stays as it was. The
monitor's own page is made anew each time.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from migrators.backends.mysql import connect

if TYPE_CHECKING:
    from migrators.backends.mysql.wire import Connection

_SAID = "SHOW ENGINE INNODB STATUS"
_WRITER = re.compile(r"undo log entries [1-9]\d*\n(?:MariaDB|MySQL) thread id (\d+)")


def sessions(connection: Connection) -> set[int]:
    """Return the numbers of the sessions whose transactions have written something.

    Of more than a megabyte (some thousand open transactions) the page leaves out the middle: who
    asks looks at INNODB_TRX as well.

    Raises
    ------
    pymysql.err.MySQLError
        Without the right PROCESS.
    """
    ((_, _, page),) = connect.rows(connection, _SAID)
    _, _, transactions = str(page).partition("LIST OF TRANSACTIONS")
    return {int(number) for number in _WRITER.findall(transactions)}


def prepared(connection: Connection) -> set[str]:
    """Return the XA transactions of the server that are prepared, as `XA COMMIT` takes them.

    Raises
    ------
    pymysql.err.MySQLError
        MySQL asks for the right XA_RECOVER_ADMIN.
    """
    if connect.is_mariadb(connection):
        return {str(name) for *_, name in connect.rows(connection, "XA RECOVER FORMAT='SQL'")}
    return {_literal(*row) for row in connect.rows(connection, "XA RECOVER CONVERT XID")}


def _literal(form: int, first: int, second: int, data: str) -> str:
    """Return a name as a literal: its two parts are in one, as hexadecimal digits behind 0x."""
    digits = str(data)[2:]
    end = 2 * int(first)
    return f"X'{digits[:end]}',X'{digits[end : end + 2 * int(second)]}',{form}"
