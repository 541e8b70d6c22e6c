-- A new file is news of its project. Fired during a load, it would date them all to today.
CREATE FUNCTION touch_project() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE projects
    SET last_updated = now()
    WHERE id = (SELECT project_id FROM releases WHERE id = NEW.release_id);
    RETURN NEW;
END
$$;

CREATE TRIGGER files_touch_project AFTER INSERT ON files
FOR EACH ROW EXECUTE FUNCTION touch_project();
