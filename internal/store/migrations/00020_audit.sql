-- +goose Up

-- One row an audit record: who did what to which object, when and why, or how many rows of personal data somebody saw. Written in the transaction of
-- what it tells of, and never changed (see 00021). id: the turn of the record in its process, then random. at: epoch microseconds. account: a login name,
-- or system. before_fields, after_fields: a JSON object of fields, personal ones as keyed hash or mask. n: rows seen or touched.
CREATE TABLE audit_record (
  id            BIGINT PRIMARY KEY,
  at            BIGINT NOT NULL,
  account       TEXT   NOT NULL,
  role          TEXT   NOT NULL,
  action        TEXT   NOT NULL,
  kind          TEXT   NOT NULL,
  object        TEXT   NOT NULL,
  before_fields TEXT   NOT NULL,
  after_fields  TEXT   NOT NULL,
  reason        TEXT   NOT NULL,
  n             BIGINT NOT NULL CHECK (n >= 0),
  request       TEXT   NOT NULL
);
CREATE INDEX audit_record_object ON audit_record (kind, object);
CREATE INDEX audit_record_at ON audit_record (at);

-- One row a record that is not in the chain yet: the work list of the sealer.
CREATE TABLE audit_tail (
  record BIGINT PRIMARY KEY REFERENCES audit_record (id)
);

-- One row a sealed record, its place in the chain from 1 without gaps. hash: SM3 of the hash before and the record's text, 32 bytes. That seq is unique
-- lets one sealer win; that record is keeps every record once in the chain.
CREATE TABLE audit_seal (
  seq    BIGINT PRIMARY KEY CHECK (seq > 0),
  record BIGINT NOT NULL UNIQUE REFERENCES audit_record (id),
  hash   BLOB   NOT NULL
);

-- +goose Down
DROP TABLE audit_seal;
DROP TABLE audit_tail;
DROP TABLE audit_record;
