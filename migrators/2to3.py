"""2to3: packages become projects, with roles and keywords (a step of the reference application).

A release's file gets a table of its own, so that there can be many. Users and projects
get UUIDs made of their old keys: the same on every engine, and the way back knows the old
ones. Countries are listed once, for all who name them.
"""

from sqlalchemy import func, select

from migrators import rules


def migrate(step, old, new):
    """Take schema 2 to schema 3."""
    step.rekey(new.users, new.projects)
    projects(step, old, new)
    history(step, old, new)
    roles(step, old, new)
    keywords(step, old, new)
    files(step, old, new)
    countries(step, old, new)


def projects(step, old, new):
    """Call packages projects, and put all of them on the basic tier."""
    step.table(new.projects, source=old.packages).values(tier="basic")
    step.same(
        "downloads in all",
        old=select(func.sum(old.packages.c.downloads)),
        new=select(func.sum(new.projects.c.downloads)),
    )


def history(step, old, new):
    """Move the history along, so that it goes on naming projects and owners by their keys."""
    step.table(new.projects_version, source=old.packages_version).values(tier="basic")
    step.follows(new.projects_version.c.id, new.projects)
    step.follows(new.projects_version.c.owner_id, new.users)
    step.drop(old.packages_version.c.keywords, because="the history of keywords begins anew")


def roles(step, old, new):
    """Make the owner of a package the first to have a role in the project."""
    package = old.packages.c
    step.table(
        new.roles,
        source=old.packages,
        only=package.owner_id.is_not(None),
        because="nobody owns it",
    ).values(
        id=package.id,
        project_id=step.table(new.projects).key(package.id),
        user_id=step.table(new.users).key(package.owner_id),
        role="owner",
    )


def keywords(step, old, new):
    """Share keywords: 'Brie, soft' and 'soft,brie' name the same two."""
    package = old.packages.c
    words = rules.split(rules.lower(package.keywords), ",")
    known = step.lookup(new.keywords, key=new.keywords.c.name, of=[words])
    step.table(
        new.project_keywords,
        source=old.packages,
        only=package.keywords.is_not(None),
        because="has no keywords",
    ).values(
        project_id=step.table(new.projects).key(package.id),
        keyword_id=known.id(words),
    )


def files(step, old, new):
    """Split a release from its file."""
    release = old.releases.c
    step.table(new.releases).values(
        project_id=step.table(new.projects).key(release.package_id),
    )
    step.table(
        new.files,
        source=old.releases,
        only=release.filename.is_not(None),
        because="nothing was uploaded",
    ).values(release_id=release.id)
    step.same(
        "bytes uploaded",
        old=select(func.sum(old.releases.c.size)),
        new=select(func.sum(new.files.c.size)),
    )


def countries(step, old, new):
    """Let customers and suppliers name countries from one list."""
    theirs = old.customers.c.country
    ours = old.suppliers.c.country_name
    known = step.lookup(new.countries, key=new.countries.c.name, of=[theirs, ours])
    step.table(new.customers).values(country_id=known.id(theirs))
    step.table(new.suppliers).values(country_id=known.id(ours))
