"""Django's PostgreSQL engine on the embedded server: ENGINE = "imageeditor.postgres.backend"."""
