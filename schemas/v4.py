"""Schema 4 of cheeseshop: one list of organisations, public profiles, rules in the database.

A profile and its user refer to each other, a project to the one that succeeds it.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
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
    Uuid,
)
from sqlalchemy.dialects import mysql

metadata = MetaData()

# What MySQL and MariaDB would cut short: fractions of a second, 64 KB of text or bytes.
MYSQL = ("mysql", "mariadb")
Instant = DateTime(timezone=True).with_variant(mysql.DATETIME(fsp=6), *MYSQL)
Clock = Time().with_variant(mysql.TIME(fsp=6), *MYSQL)
LongText = Text().with_variant(mysql.LONGTEXT(), *MYSQL)
Bytes = LargeBinary().with_variant(mysql.LONGBLOB(), *MYSQL)
# MariaDB's UUID type sorts by swapped parts and refuses some.
Key = Uuid().with_variant(Uuid(native_uuid=False), *MYSQL)
# Only INTEGER is a row's own number in SQLite.
Serial = BigInteger().with_variant(Integer(), "sqlite")

ProjectStatus = Enum("active", "archived", name="project_status", metadata=metadata)

users = Table(
    "users",
    metadata,
    Column("id", Key, nullable=False),
    Column("username", String(64), nullable=False),
    Column("name", LongText, nullable=False),
    Column("email", String(255), nullable=False),
    Column("rocketchat_user", String(64)),
    Column("is_admin", Boolean, nullable=False),
    Column(
        "profile_id",
        Key,
        ForeignKey("profiles.id", name="fk_users_profile_id_profiles", use_alter=True),
    ),
    Column("karma", Double),
    Column("joined", Instant, nullable=False),
    Column("last_login", Instant),
    PrimaryKeyConstraint("id", name="pk_users"),
    UniqueConstraint("username", name="uq_users_username"),
    Index("ix_users_profile_id", "profile_id"),
)

profiles = Table(
    "profiles",
    metadata,
    Column("id", Key, nullable=False),
    Column(
        "user_id",
        Key,
        ForeignKey("users.id", name="fk_profiles_user_id_users"),
        nullable=False,
    ),
    Column("bio", LongText),
    Column("avatar", Bytes),
    PrimaryKeyConstraint("id", name="pk_profiles"),
    UniqueConstraint("user_id", name="uq_profiles_user_id"),
)

projects = Table(
    "projects",
    metadata,
    Column("id", Key, nullable=False),
    Column("name", String(128), nullable=False),
    Column("tier", String(16), nullable=False),
    Column("summary", LongText),
    Column("links", JSON, nullable=False),
    Column(
        "successor_id",
        Key,
        ForeignKey("projects.id", name="fk_projects_successor_id_projects"),
    ),
    Column("downloads", BigInteger, nullable=False),
    Column("status", ProjectStatus, nullable=False),
    Column("created", Instant, nullable=False),
    Column("last_updated", Instant, nullable=False),
    PrimaryKeyConstraint("id", name="pk_projects"),
    UniqueConstraint("name", name="uq_projects_name"),
    CheckConstraint("downloads >= 0", name="ck_projects_downloads"),
    CheckConstraint("tier IN ('basic', 'patron')", name="ck_projects_tier"),
    Index("ix_projects_successor_id", "successor_id"),
)

roles = Table(
    "roles",
    metadata,
    Column(
        "project_id",
        Key,
        ForeignKey("projects.id", name="fk_roles_project_id_projects"),
        nullable=False,
    ),
    Column("user_id", Key, ForeignKey("users.id", name="fk_roles_user_id_users"), nullable=False),
    Column("role", Enum("owner", "maintainer", name="role_name"), nullable=False),
    PrimaryKeyConstraint("project_id", "user_id", name="pk_roles"),
    Index("ix_roles_user_id", "user_id"),
)

keywords = Table(
    "keywords",
    metadata,
    Column("id", Integer, nullable=False),
    Column("name", String(100), nullable=False),
    PrimaryKeyConstraint("id", name="pk_keywords"),
    UniqueConstraint("name", name="uq_keywords_name"),
)

project_keywords = Table(
    "project_keywords",
    metadata,
    Column(
        "project_id",
        Key,
        ForeignKey("projects.id", name="fk_project_keywords_project_id_projects"),
        nullable=False,
    ),
    Column(
        "keyword_id",
        Integer,
        ForeignKey("keywords.id", name="fk_project_keywords_keyword_id_keywords"),
        nullable=False,
    ),
    PrimaryKeyConstraint("project_id", "keyword_id", name="pk_project_keywords"),
    Index("ix_project_keywords_keyword_id", "keyword_id"),
)

transaction = Table(
    "transaction",
    metadata,
    Column("id", Serial, nullable=False),
    Column("issued_at", Instant, nullable=False),
    Column("remote_addr", String(50)),
    Column("user_id", Key, ForeignKey("users.id", name="fk_transaction_user_id_users")),
    PrimaryKeyConstraint("id", name="pk_transaction"),
    Index("ix_transaction_user_id", "user_id"),
)

# No foreign key: a version outlives its project, and its owner.
projects_version = Table(
    "projects_version",
    metadata,
    Column("id", Key, nullable=False),
    Column("transaction_id", BigInteger, nullable=False),
    Column("end_transaction_id", BigInteger),
    Column("operation_type", SmallInteger, nullable=False),
    Column("name", String(128)),
    Column("owner_id", Key),
    Column("tier", String(16)),
    Column("summary", LongText),
    Column("homepage", String(255)),
    Column("superseded_by", String(128)),
    Column("downloads", BigInteger),
    Column("status", ProjectStatus),
    Column("created", Instant),
    Column("last_updated", Instant),
    PrimaryKeyConstraint("id", "transaction_id", name="pk_projects_version"),
    CheckConstraint("operation_type IN (0, 1, 2)", name="ck_projects_version_operation_type"),
    Index("ix_projects_version_transaction_id", "transaction_id"),
    Index("ix_projects_version_end_transaction_id", "end_transaction_id"),
)

releases = Table(
    "releases",
    metadata,
    Column("id", Integer, nullable=False),
    Column(
        "project_id",
        Key,
        ForeignKey("projects.id", name="fk_releases_project_id_projects"),
        nullable=False,
    ),
    Column("version", String(32), nullable=False),
    Column("cost", Numeric(12, 2), nullable=False),
    Column("score", Double),
    Column("yanked", Boolean, nullable=False),
    Column("uploaded", Instant, nullable=False),
    Column("released", Date),
    PrimaryKeyConstraint("id", name="pk_releases"),
    UniqueConstraint("project_id", "version", name="uq_releases_project_id_version"),
)

files = Table(
    "files",
    metadata,
    Column("id", Integer, nullable=False),
    Column(
        "release_id",
        Integer,
        ForeignKey("releases.id", name="fk_files_release_id_releases"),
        nullable=False,
    ),
    Column("filename", String(255), nullable=False),
    Column("size", BigInteger),
    PrimaryKeyConstraint("id", name="pk_files"),
    CheckConstraint("size >= 0", name="ck_files_size"),
    Index("ix_files_release_id", "release_id"),
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
        Key,
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
    Column("skills", JSON),
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
    CheckConstraint("salary > 0", name="ck_recruits_salary"),
    UniqueConstraint("personal_email_address", name="uq_recruits_personal_email_address"),
)

countries = Table(
    "countries",
    metadata,
    Column("id", Integer, nullable=False),
    Column("name", String(100), nullable=False),
    PrimaryKeyConstraint("id", name="pk_countries"),
    UniqueConstraint("name", name="uq_countries_name"),
)

organisations = Table(
    "organisations",
    metadata,
    Column("id", Integer, nullable=False),
    Column("name", String(255), nullable=False),
    Column("trading_name", String(255)),
    Column("vat_number", String(20)),
    Column(
        "country_id",
        Integer,
        ForeignKey("countries.id", name="fk_organisations_country_id_countries"),
    ),
    Column("is_customer", Boolean, nullable=False),
    Column("is_supplier", Boolean, nullable=False),
    Column("credit", Numeric(12, 2)),
    Column("contact", LongText),
    Column("since", Date),
    Column("rating", Double),
    PrimaryKeyConstraint("id", name="pk_organisations"),
    UniqueConstraint("vat_number", name="uq_organisations_vat_number"),
    CheckConstraint("is_customer OR is_supplier", name="ck_organisations_role"),
    Index("ix_organisations_country_id", "country_id"),
)

settings = Table(
    "settings",
    metadata,
    Column("key", String(64), nullable=False),
    Column("value", LongText),
    PrimaryKeyConstraint("key", name="pk_settings"),
)
