from django.db import migrations

# At most one default is the model's constraint; at least one is this trigger's. It is deferred, so
# that a transaction can move the default from one plan to another.
KEEP = """
UPDATE editor_plan SET is_default = true
    WHERE id = (SELECT min(id) FROM editor_plan)
    AND NOT EXISTS (SELECT FROM editor_plan WHERE is_default);
CREATE FUNCTION editor_default_plan_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM editor_plan WHERE is_default) THEN
        RAISE EXCEPTION 'one plan must be the default'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'plan_has_default';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER plan_has_default AFTER UPDATE OF is_default OR DELETE ON editor_plan
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.is_default) EXECUTE FUNCTION editor_default_plan_stays();
"""

LET_GO = """
DROP TRIGGER plan_has_default ON editor_plan;
DROP FUNCTION editor_default_plan_stays();
"""


class Migration(migrations.Migration):
    dependencies = [("editor", "0017_job_api_key")]

    operations = [migrations.RunSQL(KEEP, LET_GO)]
