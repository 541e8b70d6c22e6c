"""Schema 1 of cheeseshop, a package index with its hiring page: as it grew.

Flags are 0 and 1, counts are text for people, times are Berlin's wall clock, and every
release carries its own file.
"""

from sqlalchemy import (
    Column,
    Date,
    DateTime,
    Double,
    Enum,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    Time,
    UniqueConstraint,
)
from sqlalchemy.dialects import mysql
from sqlalchemy.types import BigInteger

metadata = MetaData()

# What MySQL and MariaDB would cut short: fractions of a second, 64 KB of text or bytes.
MYSQL = ("mysql", "mariadb")
LocalTime = DateTime().with_variant(mysql.DATETIME(fsp=6), *MYSQL)
Clock = Time().with_variant(mysql.TIME(fsp=6), *MYSQL)
LongText = Text().with_variant(mysql.LONGTEXT(), *MYSQL)
Bytes = LargeBinary().with_variant(mysql.LONGBLOB(), *MYSQL)

users = Table(
    "users",
    metadata,
    Column("id", Integer, nullable=False),
    Column("username", String(64), nullable=False),
    Column("name", LongText, nullable=False),
    Column("email", String(255), nullable=False),
    Column("chatname", String(64)),
    Column("is_admin", Integer, nullable=False),
    Column("bio", LongText),
    Column("karma", Double),
    Column("avatar", Bytes),
    Column("joined", LocalTime, nullable=False),
    Column("last_login", LocalTime),
    PrimaryKeyConstraint("id", name="pk_users"),
    UniqueConstraint("username", name="uq_users_username"),
)

packages = Table(
    "packages",
    metadata,
    Column("id", Integer, nullable=False),
    Column("name", String(128), nullable=False),
    Column("owner_id", Integer, ForeignKey("users.id", name="fk_packages_owner_id_users")),
    Column("summary", LongText),
    Column("homepage", String(255)),
    Column("keywords", LongText),
    Column("superseded_by", String(128)),
    Column("downloads", String(26), nullable=False),
    Column("status", Enum("active", "hidden", "deleted", name="package_status"), nullable=False),
    Column("created", LocalTime, nullable=False),
    PrimaryKeyConstraint("id", name="pk_packages"),
    UniqueConstraint("name", name="uq_packages_name"),
    Index("ix_packages_owner_id", "owner_id"),
)

releases = Table(
    "releases",
    metadata,
    Column("id", Integer, nullable=False),
    Column(
        "package_id",
        Integer,
        ForeignKey("packages.id", name="fk_releases_package_id_packages"),
        nullable=False,
    ),
    Column("version", String(32), nullable=False),
    Column("filename", String(255)),
    Column("size", BigInteger),
    Column("cost", Numeric(12, 2), nullable=False),
    Column("score", Double),
    Column("yanked", Integer, nullable=False),
    Column("uploaded", LocalTime, nullable=False),
    Column("released", Date),
    PrimaryKeyConstraint("id", name="pk_releases"),
    UniqueConstraint("package_id", "version", name="uq_releases_package_id_version"),
)

dependencies = Table(
    "dependencies",
    metadata,
    Column("id", Integer, nullable=False),
    Column(
        "release_id",
        Integer,
        ForeignKey("releases.id", name="fk_dependencies_release_id_releases"),
        nullable=False,
    ),
    Column("requirement", String(255), nullable=False),
    Column("extra", String(64)),
    Column("optional", Integer, nullable=False),
    PrimaryKeyConstraint("id", name="pk_dependencies"),
    Index("ix_dependencies_release_id", "release_id"),
)

api_tokens = Table(
    "api_tokens",
    metadata,
    Column("id", Integer, nullable=False),
    Column(
        "user_id",
        Integer,
        ForeignKey("users.id", name="fk_api_tokens_user_id_users"),
        nullable=False,
    ),
    Column("label", String(100), nullable=False),
    Column("secret", Bytes, nullable=False),
    Column("expires", LocalTime),
    PrimaryKeyConstraint("id", name="pk_api_tokens"),
    Index("ix_api_tokens_user_id", "user_id"),
)

recruits = Table(
    "recruits",
    metadata,
    Column("id", Integer, nullable=False),
    Column("full_name", String(120), nullable=False),
    Column("personal_email_address", String(255)),
    Column("id_number", String(32)),
    Column("skills", LongText),
    Column("salary", Numeric(12, 2)),
    Column(
        "stage",
        Enum("applied", "interviewing", "hired", "rejected", name="recruit_stage"),
        nullable=False,
    ),
    Column("applied_on", Date, nullable=False),
    Column("call_at", Clock),
    Column("cv", Bytes),
    Column("notes", LongText),
    PrimaryKeyConstraint("id", name="pk_recruits"),
)

customers = Table(
    "customers",
    metadata,
    Column("id", Integer, nullable=False),
    Column("name", String(255), nullable=False),
    Column("vat_number", String(20)),
    Column("country", String(100)),
    Column("credit", Numeric(12, 2), nullable=False),
    Column("contact", LongText),
    PrimaryKeyConstraint("id", name="pk_customers"),
    UniqueConstraint("vat_number", name="uq_customers_vat_number"),
)

suppliers = Table(
    "suppliers",
    metadata,
    Column("id", Integer, nullable=False),
    Column("name", String(255), nullable=False),
    Column("vat_number", String(20)),
    Column("country_name", String(100)),
    Column("since", Date),
    Column("rating", Double),
    PrimaryKeyConstraint("id", name="pk_suppliers"),
    UniqueConstraint("vat_number", name="uq_suppliers_vat_number"),
)

settings = Table(
    "settings",
    metadata,
    Column("key", String(64), nullable=False),
    Column("value", LongText),
    PrimaryKeyConstraint("key", name="pk_settings"),
)

# Written by a log shipper that knew nothing of keys, of case, nor of reserved words.
download_log = Table(
    "DownloadLog",
    metadata,
    Column("when", LocalTime, nullable=False),
    Column("from", String(45)),
    Column("Package Name", String(128), nullable=False),
    Column("Count", Integer, nullable=False),
)
