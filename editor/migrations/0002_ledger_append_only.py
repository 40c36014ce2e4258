from django.db import migrations

FORBID = """
CREATE FUNCTION editor_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- The one change allowed: the person behind a row is gone (ON DELETE SET NULL).
    IF TG_OP = 'UPDATE' AND NEW.actor_id IS NULL
       AND to_jsonb(NEW) - 'actor_id' = to_jsonb(OLD) - 'actor_id' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% rows are never changed or deleted', TG_TABLE_NAME;
END $$;
CREATE TRIGGER ledger_append_only BEFORE UPDATE OR DELETE ON editor_ledgerentry
    FOR EACH ROW EXECUTE FUNCTION editor_append_only();
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON editor_auditentry
    FOR EACH ROW EXECUTE FUNCTION editor_append_only();
"""

ALLOW = """
DROP TRIGGER ledger_append_only ON editor_ledgerentry;
DROP TRIGGER audit_append_only ON editor_auditentry;
DROP FUNCTION editor_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("editor", "0001_initial")]

    operations = [migrations.RunSQL(FORBID, ALLOW)]
