-- A new file is news of its project. Fired during a load, it would date them all to today.
CREATE TRIGGER files_touch_project AFTER INSERT ON files
FOR EACH ROW
    UPDATE projects
    SET last_updated = UTC_TIMESTAMP(6)
    WHERE id = (SELECT project_id FROM releases WHERE id = NEW.release_id);
