"""3to4: one list of organisations, public profiles (a step of the reference application).

Customers and suppliers with the same VAT number are one organisation. A user's public
face becomes a profile, and a project points at the one that succeeds it.
"""

from sqlalchemy import false, func, null, select, true, union_all

from migrators import rules


def migrate(step, old, new):
    """Take schema 3 to schema 4."""
    profiles(step, old, new)
    projects(step, old, new)
    organisations(step, old, new)
    step.table(new.recruits).values(skills=rules.json(old.recruits.c.skills, kind="list"))
    step.drop(old.roles.c.id, because="a role is named by its project and its user")
    step.drop(old["DownloadLog"], because="downloads are counted by the mirrors")


def profiles(step, old, new):
    """Give a profile to who has a face or a story; user and profile know each other."""
    user = old.users.c
    profile = step.table(
        new.profiles,
        source=old.users,
        only=user.bio.is_not(None) | user.avatar.is_not(None),
        because="has neither a bio nor an avatar",
    ).values(user_id=user.id)
    step.table(new.users).values(profile_id=profile.key(user.id))


def projects(step, old, new):
    """Refer to the successor that was a name; the name stays among the links."""
    project, successor = old.projects.c, old.projects.alias("successor")
    named = select(successor.c.id).where(successor.c.name == project.superseded_by)
    projects = step.table(new.projects)
    projects.values(
        successor_id=projects.key(named.scalar_subquery()),
        links=rules.json_object(
            homepage=project.homepage,
            superseded_by=project.superseded_by,
        ),
    )


def organisations(step, old, new):
    """Merge customers and suppliers where their VAT numbers are the same."""
    customer, supplier = old.customers, old.suppliers
    same = customer.c.vat_number == supplier.c.vat_number
    step.table(new.organisations).query(
        union_all(_customers(customer, supplier, same), _suppliers(customer, supplier, same)),
        rows=new,
    )
    for whose, was in (("is_customer", customer), ("is_supplier", supplier)):
        step.same(
            f"organisations, {whose}",
            old=select(func.count()).select_from(was),
            new=select(func.count()).where(new.organisations.c[whose]),
        )


def _customers(customer, supplier, same):
    """Select every customer, with what is known of it as a supplier; its own country holds."""
    return select(
        customer.c.id,
        customer.c.name,
        supplier.c.name.label("trading_name"),
        customer.c.vat_number,
        func.coalesce(customer.c.country_id, supplier.c.country_id).label("country_id"),
        true().label("is_customer"),
        supplier.c.id.is_not(None).label("is_supplier"),
        customer.c.credit,
        customer.c.contact,
        supplier.c.since,
        supplier.c.rating,
    ).select_from(customer.outerjoin(supplier, same))


def _suppliers(customer, supplier, same):
    """Select every supplier that is no customer, numbered after the last customer."""
    last = select(func.coalesce(func.max(customer.c.id), 0)).scalar_subquery()
    return select(
        (last + supplier.c.id).label("id"),
        supplier.c.name,
        null().label("trading_name"),
        supplier.c.vat_number,
        supplier.c.country_id,
        false().label("is_customer"),
        true().label("is_supplier"),
        null().label("credit"),
        null().label("contact"),
        supplier.c.since,
        supplier.c.rating,
    ).where(~select(customer.c.id).where(same).exists())
