-- What the front page shows: each package, its owner, how much there is of it.
CREATE VIEW release_index AS
SELECT
    packages.name AS name,
    users.username AS owner,
    packages.downloads AS downloads,
    COUNT(releases.id) AS releases,
    MAX(releases.uploaded) AS latest
FROM packages
LEFT JOIN users ON users.id = packages.owner_id
LEFT JOIN releases ON releases.package_id = packages.id
GROUP BY packages.id, packages.name, users.username, packages.downloads;
