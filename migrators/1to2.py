"""1to2: columns say what they hold, packages get a history (a step of the reference application).

Flags become booleans, counts numbers, and Berlin's wall clock moments in time. Every
recruit can be written to. Packages that were deleted are purged.
"""

from datetime import UTC, datetime

from sqlalchemy import case, func, literal, select

from migrators import rules

RELEASED = datetime(2024, 3, 1, 9, 0, tzinfo=UTC)
EPOCH = datetime(2004, 1, 1, 0, 0)  # noqa: DTZ001  Berlin's wall clock, as the old columns are


def migrate(step, old, new):
    """Take schema 1 to schema 2."""
    users(step, old, new)
    packages(step, old, new)
    releases(step, old, new)
    recruits(step, old, new)
    countries(step, old, new)
    step.same(
        "packages that are not deleted",
        old=select(func.count(old.packages.c.id)).where(old.packages.c.status != "deleted"),
        new=select(func.count(new.packages.c.id)),
    )


def berlin(column):
    """Read Berlin's wall clock: the doubled hour is its first, the missing one ends at three."""
    return rules.timestamp(column, zone="Europe/Berlin", ambiguous="earlier", nonexistent="forward")


def users(step, old, new):
    """Move the chat to Rocket.Chat; say of administrators that they are."""
    step.table(new.users).values(
        rocketchat_user=old.users.c.chatname,
        is_admin=rules.boolean(old.users.c.is_admin),
        joined=berlin(old.users.c.joined),
        last_login=berlin(old.users.c.last_login),
    )
    step.table(new.api_tokens).values(expires=berlin(old.api_tokens.c.expires))


def packages(step, old, new):
    """Say when a package last changed; open its history with what it is today."""
    package, release = old.packages.c, old.releases.c
    latest = select(func.max(release.uploaded)).where(release.package_id == package.id)
    today = {
        "downloads": rules.integer(package.downloads, thousands=","),
        "status": rules.enum(package.status, {"hidden": "archived"}),
        "created": berlin(package.created),
        "last_updated": berlin(rules.default(latest.scalar_subquery(), EPOCH)),
    }
    deleted, purged = package.status == "deleted", "purged under the retention rule"
    step.table(new.packages).values(**today).drop_rows(deleted, because=purged)
    (
        step.table(new.packages_version, source=old.packages)
        .values(transaction_id=1, end_transaction_id=None, operation_type=0, **today)
        .drop_rows(deleted, because=purged)
    )
    (
        step.table(new.transaction)
        .query(select(literal(1).label("id")), rows=new)
        .values(issued_at=RELEASED, remote_addr=None, user_id=None)
    )


def releases(step, old, new):
    """Let what belonged to a deleted package go with it."""
    deleted = select(old.packages.c.id).where(old.packages.c.status == "deleted")
    theirs = select(old.releases.c.id).where(old.releases.c.package_id.in_(deleted))
    step.table(new.releases).values(
        yanked=rules.boolean(old.releases.c.yanked),
        uploaded=berlin(old.releases.c.uploaded),
    ).drop_rows(old.releases.c.package_id.in_(deleted), because="of a purged package")
    step.table(new.dependencies).values(
        optional=rules.boolean(old.dependencies.c.optional),
    ).drop_rows(old.dependencies.c.release_id.in_(theirs), because="of a purged package")


def recruits(step, old, new):
    """Give every recruit an address of their own: who wrote first keeps a shared one."""
    recruit, earlier = old.recruits.c, old.recruits.alias("earlier")
    taken = (
        select(earlier.c.id)
        .where(
            earlier.c.personal_email_address == recruit.personal_email_address,
            earlier.c.id < recruit.id,
        )
        .exists()
    )
    own = case((~taken, recruit.personal_email_address))
    step.table(new.recruits).values(
        cohort="2024-spring",
        personal_email_address=rules.fill(
            rules.null_if(own, ""), "recruit-{id}@cheeseshop.invalid", id=recruit.id
        ),
    )
    step.drop(recruit.id_number, because="no longer collected")


def countries(step, old, new):
    """Drop the blanks around countries, which made two of one."""
    step.table(new.customers).values(country=rules.trim(old.customers.c.country))
    step.table(new.suppliers).values(country_name=rules.trim(old.suppliers.c.country_name))
