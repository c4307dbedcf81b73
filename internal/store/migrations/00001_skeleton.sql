-- +goose Up

-- One row a generation of the lake; the newest is what a reader sees. at: epoch microseconds.
CREATE TABLE lake_generation (
  id   INTEGER PRIMARY KEY,
  at   BIGINT NOT NULL,
  note TEXT   NOT NULL
);

-- One row a file of the lake. It belongs to the generations from added to before dropped (open while dropped is null).
-- received, cutoff: yyyymmdd, of the delivery that the rows came with; 0 for derived files.
CREATE TABLE lake_file (
  path       TEXT    PRIMARY KEY,
  tbl        TEXT    NOT NULL,
  row_count  BIGINT  NOT NULL CHECK (row_count >= 0),
  bytes      BIGINT  NOT NULL,
  received   INTEGER NOT NULL,
  cutoff     INTEGER NOT NULL,
  seq        BIGINT  NOT NULL,
  meta       TEXT    NOT NULL,
  added      BIGINT  NOT NULL REFERENCES lake_generation (id),
  dropped    BIGINT  REFERENCES lake_generation (id)
);
CREATE INDEX lake_file_tbl ON lake_file (tbl, added);

-- The one writer at a time. token only grows: a writer that lost its lease cannot commit.
CREATE TABLE lake_lease (
  name   TEXT   PRIMARY KEY,
  token  BIGINT NOT NULL,
  expiry BIGINT NOT NULL
);
INSERT INTO lake_lease (name, token, expiry) VALUES ('writer', 0, 0);

-- One row a holder: somebody as one identity number names them. person is the holder who stands for the same human being; a merge
-- changes person only. sealed: the personal data, unreadable without the keys.
CREATE TABLE vault_holder (
  id     INTEGER PRIMARY KEY,
  person BIGINT  NOT NULL,
  sealed BLOB    NOT NULL
);

-- The blind index: a keyed hash of a normalised value, for exact search.
CREATE TABLE vault_index (
  kind   TEXT   NOT NULL,
  idx    BLOB   NOT NULL,
  holder BIGINT NOT NULL REFERENCES vault_holder (id),
  PRIMARY KEY (kind, idx, holder)
);

CREATE INDEX vault_index_holder ON vault_index (holder);

-- One row a delivery. sum: keyed hash of its bytes. blob, reject_blob: names of sealed files. at: epoch microseconds.
CREATE TABLE register_delivery (
  id          INTEGER PRIMARY KEY,
  register    TEXT    NOT NULL,
  file        TEXT    NOT NULL,
  sum         TEXT    NOT NULL,
  received    INTEGER NOT NULL,
  cutoff      INTEGER NOT NULL,
  accepted    BIGINT  NOT NULL,
  quarantined BIGINT  NOT NULL,
  unchanged   BIGINT  NOT NULL,
  rejects     TEXT    NOT NULL,
  at          BIGINT  NOT NULL,
  UNIQUE (register, sum)
);

-- +goose Down
DROP TABLE register_delivery;
DROP TABLE vault_index;
DROP TABLE vault_holder;
DROP TABLE lake_lease;
DROP TABLE lake_file;
DROP TABLE lake_generation;
