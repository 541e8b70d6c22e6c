"""3to2: the way back, for what schema 2 can hold (a step of the reference application).

Projects are packages again, each with one owner, its keywords in one text, and one file
a release. What has no place there is counted and has to be accepted.
"""

from sqlalchemy import func, or_, select


def migrate(step, old, new):
    """Take schema 3 back to schema 2."""
    step.rekey(new.users, new.packages)
    packages(step, old, new)
    history(step, old, new)
    releases(step, old, new)
    countries(step, old, new)


def packages(step, old, new):
    """Name a project's first owner as the package's; list its keywords in one text."""
    step.table(new.packages, source=old.projects).values(
        owner_id=step.table(new.users).key(_first_owner(old)),
        keywords=_keywords_in_one_text(old),
    )
    step.drop(old.roles.c.id, because="only one owner is left, who needs no number")
    step.drop(old.roles.c.project_id, because="the package names its owner itself")
    step.drop(old.roles.c.role, because="schema 2 knows owners only")
    step.drop(old.keywords.c.id, because="keywords are one text again")
    step.drop(old.project_keywords, because="keywords are one text again")
    step.drop(old.projects.c.tier, because="schema 2 has no tiers")
    packages_lose(step, old)


def _first_owner(old):
    role, other = old.roles.c, old.roles.alias("other")
    earlier = select(other.c.id).where(
        other.c.project_id == role.project_id, other.c.role == "owner", other.c.id < role.id
    )
    return (
        select(role.user_id)
        .where(role.project_id == old.projects.c.id, role.role == "owner", ~earlier.exists())
        .scalar_subquery()
    )


def _keywords_in_one_text(old):
    return (
        select(func.aggregate_strings(old.keywords.c.name, ", "))
        .join(old.project_keywords, old.project_keywords.c.keyword_id == old.keywords.c.id)
        .where(old.project_keywords.c.project_id == old.projects.c.id)
        .scalar_subquery()
    )


def packages_lose(step, old):
    """Say what of a project does not fit into a package."""
    role, project, used = old.roles.c, old.projects.c, old.project_keywords.c
    step.loss(
        "maintainers",
        count=select(func.count(role.id)).where(role.role != "owner"),
    )
    step.loss(
        "owners beside a project's first",
        count=select(func.count(role.id) - func.count(role.project_id.distinct())).where(
            role.role == "owner"
        ),
    )
    step.loss(
        "tiers other than basic",
        count=select(func.count(project.id)).where(project.tier != "basic"),
    )
    unused = ~select(used.keyword_id).where(used.keyword_id == old.keywords.c.id).exists()
    step.loss(
        "keywords that no project has",
        count=select(func.count(old.keywords.c.id)).where(unused),
    )
    step.loss(
        "the order, spacing and capitals of a package's keywords",
        count=select(func.count(used.project_id.distinct())),
    )


def history(step, old, new):
    """Take the history back as far as it goes."""
    step.table(new.packages_version, source=old.projects_version).values(keywords=None)
    step.follows(new.packages_version.c.id, new.packages)
    step.follows(new.packages_version.c.owner_id, new.users)
    step.drop(old.projects_version.c.tier, because="schema 2 has no tiers")
    step.loss(
        "keywords in a package's history",
        count=select(func.count(old.projects_version.c.id)),
    )


def releases(step, old, new):
    """Give a release its first file back."""
    file, other, release = old.files.c, old.files.alias("other"), old.releases.c
    earlier = select(other.c.id).where(other.c.release_id == file.release_id, other.c.id < file.id)
    first = (file.release_id == release.id) & ~earlier.exists()
    step.table(new.releases).values(
        package_id=step.table(new.packages).key(release.project_id),
        filename=select(file.filename).where(first).scalar_subquery(),
        size=select(file.size).where(first).scalar_subquery(),
    )
    step.drop(file.id, because="a file is named by its release")
    step.drop(file.release_id, because="the release names its file itself")
    step.loss(
        "files beside a release's first",
        count=select(func.count(file.id) - func.count(file.release_id.distinct())),
    )


def countries(step, old, new):
    """Spell the countries of customers and suppliers out again."""
    for whose, column in (("customers", "country"), ("suppliers", "country_name")):
        named = select(old.countries.c.name).where(old.countries.c.id == old[whose].c.country_id)
        step.table(new[whose]).values(**{column: named.scalar_subquery()})
        step.drop(old[whose].c.country_id, because="the country is spelled out")
    step.drop(old.countries.c.id, because="countries are names again")
    country = old.countries.c.id
    named = [
        select(old[whose].c.country_id).where(old[whose].c.country_id == country).exists()
        for whose in ("customers", "suppliers")
    ]
    step.loss(
        "countries that nobody is in",
        count=select(func.count(country)).where(~or_(*named)),
    )
