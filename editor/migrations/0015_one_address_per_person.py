"""The library's table of e-mail addresses can only repeat what `User.email` says, one row a person.

Rows that say something else were made on a page that is gone: by people who added addresses of others.
"""

from django.db import migrations

AGREE = """
-- Confirmations first: their foreign key does not cascade.
DELETE FROM account_emailconfirmation AS confirmation
    USING account_emailaddress AS address, editor_user AS person
    WHERE confirmation.email_address_id = address.id AND person.id = address.user_id
      AND address.email <> person.email;
DELETE FROM account_emailaddress AS address
    USING editor_user AS person
    WHERE person.id = address.user_id AND address.email <> person.email;
UPDATE account_emailaddress SET "primary" = true WHERE NOT "primary";
-- Tables with checks that still wait cannot be altered.
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE editor_user ADD CONSTRAINT user_address UNIQUE (id, email);
ALTER TABLE account_emailaddress
    ADD CONSTRAINT address_once_per_user UNIQUE (user_id),
    ADD CONSTRAINT address_is_the_users FOREIGN KEY (user_id, email)
        REFERENCES editor_user (id, email) ON UPDATE CASCADE;
"""

DISAGREE = """
ALTER TABLE account_emailaddress
    DROP CONSTRAINT address_is_the_users,
    DROP CONSTRAINT address_once_per_user;
ALTER TABLE editor_user DROP CONSTRAINT user_address;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("account", "0009_emailaddress_unique_primary_email"),
        ("editor", "0014_webhooks"),
    ]

    operations = [migrations.RunSQL(AGREE, DISAGREE)]
