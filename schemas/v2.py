"""Schema 2 of cheeseshop: flags, counts and times are what they say, packages have a history.

The history is in the manner of SQLAlchemy-Continuum: `packages_version` holds what a
package was, `transaction` says when it changed and by whom.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
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
    SmallInteger,
    String,
    Table,
    Text,
    Time,
    UniqueConstraint,
)
from sqlalchemy.dialects import mysql

metadata = MetaData()

# What MySQL and MariaDB would cut short: fractions of a second, 64 KB of text or bytes.
MYSQL = ("mysql", "mariadb")
LocalTime = DateTime().with_variant(mysql.DATETIME(fsp=6), *MYSQL)
Instant = DateTime(timezone=True).with_variant(mysql.DATETIME(fsp=6), *MYSQL)
Clock = Time().with_variant(mysql.TIME(fsp=6), *MYSQL)
LongText = Text().with_variant(mysql.LONGTEXT(), *MYSQL)
Bytes = LargeBinary().with_variant(mysql.LONGBLOB(), *MYSQL)
# Only INTEGER is a row's own number in SQLite.
Serial = BigInteger().with_variant(Integer(), "sqlite")

PackageStatus = Enum("active", "archived", name="package_status", metadata=metadata)

users = Table(
    "users",
    metadata,
    Column("id", Integer, nullable=False),
    Column("username", String(64), nullable=False),
    Column("name", LongText, nullable=False),
    Column("email", String(255), nullable=False),
    Column("rocketchat_user", String(64)),
    Column("is_admin", Boolean, nullable=False),
    Column("bio", LongText),
    Column("karma", Double),
    Column("avatar", Bytes),
    Column("joined", Instant, nullable=False),
    Column("last_login", Instant),
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
    Column("downloads", BigInteger, nullable=False),
    Column("status", PackageStatus, nullable=False),
    Column("created", Instant, nullable=False),
    Column("last_updated", Instant, nullable=False),
    PrimaryKeyConstraint("id", name="pk_packages"),
    UniqueConstraint("name", name="uq_packages_name"),
    Index("ix_packages_owner_id", "owner_id"),
)

transaction = Table(
    "transaction",
    metadata,
    Column("id", Serial, nullable=False),
    Column("issued_at", Instant, nullable=False),
    Column("remote_addr", String(50)),
    Column("user_id", Integer, ForeignKey("users.id", name="fk_transaction_user_id_users")),
    PrimaryKeyConstraint("id", name="pk_transaction"),
    Index("ix_transaction_user_id", "user_id"),
)

# No foreign key: a version outlives its package, and its owner.
packages_version = Table(
    "packages_version",
    metadata,
    Column("id", Integer, nullable=False),
    Column("transaction_id", BigInteger, nullable=False),
    Column("end_transaction_id", BigInteger),
    Column("operation_type", SmallInteger, nullable=False),
    Column("name", String(128)),
    Column("owner_id", Integer),
    Column("summary", LongText),
    Column("homepage", String(255)),
    Column("keywords", LongText),
    Column("superseded_by", String(128)),
    Column("downloads", BigInteger),
    Column("status", PackageStatus),
    Column("created", Instant),
    Column("last_updated", Instant),
    PrimaryKeyConstraint("id", "transaction_id", name="pk_packages_version"),
    Index("ix_packages_version_transaction_id", "transaction_id"),
    Index("ix_packages_version_end_transaction_id", "end_transaction_id"),
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
    Column("yanked", Boolean, nullable=False),
    Column("uploaded", Instant, nullable=False),
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
    Column("optional", Boolean, nullable=False),
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
    Column("expires", Instant),
    PrimaryKeyConstraint("id", name="pk_api_tokens"),
    Index("ix_api_tokens_user_id", "user_id"),
)

recruits = Table(
    "recruits",
    metadata,
    Column("id", Integer, nullable=False),
    Column("full_name", String(120), nullable=False),
    Column("personal_email_address", String(255), nullable=False),
    Column("cohort", String(32), nullable=False),
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
    UniqueConstraint("personal_email_address", name="uq_recruits_personal_email_address"),
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
