-- +goose Up

-- The log only grows. Whoever owns the tables may drop these; the chain is what finds that.
-- +goose StatementBegin
CREATE FUNCTION audit_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the audit log only grows'; END $$;
-- +goose StatementEnd
CREATE TRIGGER audit_record_guard BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_record FOR EACH STATEMENT EXECUTE FUNCTION audit_only_grows();
CREATE TRIGGER audit_seal_guard BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_seal FOR EACH STATEMENT EXECUTE FUNCTION audit_only_grows();

-- +goose Down
DROP TRIGGER audit_seal_guard ON audit_seal;
DROP TRIGGER audit_record_guard ON audit_record;
DROP FUNCTION audit_only_grows();
