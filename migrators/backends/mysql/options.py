"""What the driver is given: the URL's, then `MIGRATE_PASSWORD`, then the user's `~/.my.cnf`.

The driver reads option files by rules of its own, and of the TLS options of a URL it takes
"false" for true, or forgets the authority (`ssl_ca`) beside `ssl_verify_identity`. So both are
read here, as the servers' own clients do ("Using Option Files", "Command Options for Encrypted
Connections" of the manual).
"""

from __future__ import annotations

import inspect
import re
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pymysql.connections import Connection

from migrators.backends import passwords
from migrators.backends.server import CONNECTS
from migrators.errors import UsageError

if TYPE_CHECKING:
    import sqlalchemy as sa

_OURS = frozenset(
    {"charset", "use_unicode", "local_infile", "init_command", "sql_mode", "conv", "autocommit"}
)
"""Options of a URL that do not count: every session of ours has the same."""
_NUMBERS = frozenset({"connect_timeout", "read_timeout", "write_timeout", "max_allowed_packet"})
_TLS = frozenset(
    {"ssl_ca", "ssl_capath", "ssl_cert", "ssl_key", "ssl_key_password", "ssl_cipher", "ssl_mode",
     "ssl_disabled", "ssl_verify_cert", "ssl_verify_identity", "ssl_check_hostname"}
)  # fmt: skip
_SWITCHES = {"true": True, "1": True, "yes": True, "on": True,
             "false": False, "0": False, "no": False, "off": False}  # fmt: skip
_MODES = ("disabled", "preferred", "required", "verify_ca", "verify_identity")
_KNOWN = frozenset(inspect.signature(Connection).parameters)
_GROUPS = frozenset({"client", "client-server", "client-mariadb", "mysql"})
"""Of an option file: those that the server's own client reads."""
_FROM_FILE = ("user", "password", "host", "port", "socket", "ssl_ca", "ssl_cert", "ssl_key")
_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "r": "\r", "s": " ", "\\": "\\"}


def arguments(url: sa.URL, home: Path | None = None) -> dict[str, Any]:
    """Return what the driver is given for a URL.

    Parameters
    ----------
    home : Path, optional
        Where `.my.cnf` is; the user's home unless given.

    Raises
    ------
    UsageError
        An option of the URL that there is none of, or whose value is none.
    """
    asked = {key: str(value[0] if isinstance(value, tuple) else value)
             for key, value in url.query.items()}  # fmt: skip
    named = asked.pop("read_default_file", "")
    asked.pop("read_default_group", None)
    file = Path(named).expanduser() if named else (home or Path.home()) / ".my.cnf"
    written = option_file(file)
    found: dict[str, Any] = {
        "host": url.host or written.get("host"),
        "port": url.port or _number("port", written.get("port", "0")),
        "user": url.username or written.get("user"),
        "database": url.database,
        "program_name": "migrate",
        "connect_timeout": CONNECTS,
    }
    password = asked.pop("password", None) or url.password or passwords.given()
    if not password and written.get("user", found["user"]) == found["user"]:
        password = written.get("password")
    found["password"] = (password or "").encode()
    socket = asked.pop("unix_socket", None) or (None if url.host else written.get("socket"))
    found["unix_socket"] = socket
    secure = {k: v for k, v in written.items() if k.startswith("ssl_")}
    found |= _tls(secure | {k: asked.pop(k) for k in list(asked) if k.startswith("ssl_")})
    found |= _others(asked)
    return {key: value for key, value in found.items() if value is not None and value != 0}


def _others(asked: dict[str, str]) -> dict[str, Any]:
    for key in asked:
        if key not in _KNOWN:
            raise UsageError(f"the url has an option `{key}`, which the driver does not know")
    return {
        key: _number(key, value) if key in _NUMBERS else value
        for key, value in asked.items()
        if key not in _OURS
    }


def _number(key: str, value: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", value):
        raise UsageError(f"the url's {key} must be a number")
    return int(value)


def _tls(asked: dict[str, str]) -> dict[str, Any]:
    """Return the driver's own options: a context where anything is asked for.

    An authority is verified with the server's name, as through SQLAlchemy, unless the URL says
    `ssl_check_hostname=false` or `ssl_mode=verify_ca`.
    """
    for key in asked:
        if key not in _TLS:
            raise UsageError(f"the url has an option `{key}`, which there is none of")
    mode = asked.get("ssl_mode", "").lower().replace("-", "_")
    if mode and mode not in _MODES:
        raise UsageError(f"the url's ssl_mode must be one of {', '.join(_MODES)}")
    if mode == "disabled" or _on(asked, "ssl_disabled"):
        return {"ssl_disabled": True}
    identity = mode == "verify_identity" or _on(asked, "ssl_verify_identity")
    authority = "ssl_ca" in asked or "ssl_capath" in asked
    verified = authority or identity or mode == "verify_ca" or _on(asked, "ssl_verify_cert")
    if not (verified or mode == "required" or asked.keys() & {"ssl_cert", "ssl_cipher"}):
        return {}
    names = identity or (authority and mode != "verify_ca")
    try:
        return {"ssl": _context(asked, names=_on(asked, "ssl_check_hostname", names), ca=verified)}
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or error
        raise UsageError(f"the url's ssl options cannot be used: {said}") from None


def _context(asked: dict[str, str], *, names: bool, ca: bool) -> ssl.SSLContext:
    """Return a context: the driver's own verifies no names where no authority is given."""
    context = ssl.create_default_context(cafile=asked.get("ssl_ca"), capath=asked.get("ssl_capath"))
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # which servers' own certificates do not pass
    context.check_hostname = names and ca
    context.verify_mode = ssl.CERT_REQUIRED if ca else ssl.CERT_NONE
    if "ssl_cert" in asked:
        password = asked.get("ssl_key_password")
        context.load_cert_chain(asked["ssl_cert"], asked.get("ssl_key"), password)
    if "ssl_cipher" in asked:
        context.set_ciphers(asked["ssl_cipher"])
    return context


def _on(asked: dict[str, str], key: str, default: bool = False) -> bool:  # noqa: FBT001, FBT002
    """Return what an option says, as text has it."""
    value = asked.get(key, str(default)).lower()
    if value not in _SWITCHES:
        raise UsageError(f"the url's {key} must be true or false")
    return _SWITCHES[value]


def option_file(path: Path) -> dict[str, str]:
    """Return the client's options of an option file; nothing where there is none to read.

    Names have `_` where the file has `-`. Other files that it includes are not read.
    """
    try:
        lines = path.read_text("utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return {}
    found: dict[str, str] = {}
    group = ""
    for line in map(str.strip, lines):
        if line.startswith("["):
            group = line.strip("[]").strip().lower()
        elif group in _GROUPS and "=" in line and line[0] not in "#;!":
            name, _, value = line.partition("=")
            key = name.strip().lower().replace("-", "_")
            if key in _FROM_FILE:
                found[key] = _unquoted(value.strip())
    return found


def _unquoted(value: str) -> str:
    """Return a value without quotes, escapes and the comment behind it."""
    quoted = re.fullmatch(r"""(["'])(.*)\1\s*(#.*)?""", value)
    bare = quoted[2] if quoted else re.sub(r"\s+#.*$", "", value)
    return re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[0]), bare)
