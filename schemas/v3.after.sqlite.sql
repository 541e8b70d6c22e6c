-- A new file is news of its project. Fired during a load, it would date them all to today.
CREATE TRIGGER files_touch_project AFTER INSERT ON files
BEGIN
    UPDATE projects
    SET last_updated = strftime('%Y-%m-%d %H:%M:%f000', 'now')
    WHERE id = (SELECT project_id FROM releases WHERE id = NEW.release_id);
END;
