-- What the front page shows: each project, its owner, how much there is of it.
CREATE VIEW release_index AS
SELECT
    projects.name AS name,
    users.username AS owner,
    projects.downloads AS downloads,
    COUNT(releases.id) AS releases,
    MAX(releases.uploaded) AS latest
FROM projects
LEFT JOIN roles ON roles.project_id = projects.id AND roles.role = 'owner'
LEFT JOIN users ON users.id = roles.user_id
LEFT JOIN releases ON releases.project_id = projects.id
GROUP BY projects.id, projects.name, users.username, projects.downloads;
