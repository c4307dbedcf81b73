-- +goose Up

-- Where a file stands among the deliveries of its table: by its own day of receipt and number, or, where it corrects rejected rows of an earlier
-- delivery, with that one. columns: the names of its columns, parted by blanks; '' in files older than this.
ALTER TABLE lake_file ADD COLUMN stands INTEGER NOT NULL DEFAULT 0;
ALTER TABLE lake_file ADD COLUMN stands_seq BIGINT NOT NULL DEFAULT 0;
ALTER TABLE lake_file ADD COLUMN columns TEXT NOT NULL DEFAULT '';
UPDATE lake_file SET stands = received, stands_seq = seq;

-- One row a delivery. A workbook of corrected rows is one delivery for each delivery that it corrects. sum: keyed hash of its bytes. corrects: the
-- delivery whose rows it mends, 0 for none. setup: of the pack, the sender's map and what was stated of the file, so that a mended pack looks at
-- rejected rows again. headings: the sender's own map, JSON, as it was given. report: what was seen in it, JSON, without
-- personal data. original: the keyed name of its sealed file, '' in deliveries older than
-- this. rejects: the sum of the sealed file of its rejected rows, '' for none. unsaid: that of the hashes of the rows that it did not write
-- because the lake had them, '' for none. at: epoch microseconds.
CREATE TABLE register_delivery_2 (
  id          INTEGER PRIMARY KEY,
  register    TEXT    NOT NULL,
  file        TEXT    NOT NULL,
  sum         TEXT    NOT NULL,
  setup       TEXT    NOT NULL,
  corrects    BIGINT  NOT NULL,
  received    INTEGER NOT NULL,
  cutoff      INTEGER NOT NULL,
  accepted    BIGINT  NOT NULL,
  quarantined BIGINT  NOT NULL,
  unchanged   BIGINT  NOT NULL,
  original    TEXT    NOT NULL,
  rejects     TEXT    NOT NULL,
  unsaid      TEXT    NOT NULL,
  headings    TEXT    NOT NULL,
  report      TEXT    NOT NULL,
  at          BIGINT  NOT NULL,
  UNIQUE (register, sum, setup, corrects)
);
INSERT INTO register_delivery_2 (id, register, file, sum, setup, corrects, received, cutoff, accepted, quarantined, unchanged, original, rejects, unsaid, headings, report, at)
  SELECT id, register, file, sum, '', 0, received, cutoff, accepted, quarantined, unchanged, '', rejects, '', '', '', at FROM register_delivery;
DROP TABLE register_delivery;
ALTER TABLE register_delivery_2 RENAME TO register_delivery;

-- One row a rejected row; the row itself is in the sealed file of its delivery. ord: its place among the delivery's rows, from 1. stands: the
-- delivery whose row it is, another one where a correction was rejected again. content: keyed fingerprint of its fields. key_hash: of its key, 0
-- where that could not be read. month: yyyymm of a monthly row, 0 where there is none. reasons: "column message" pairs, parted by blanks.
-- closed_by: the delivery with which the row came right or was overtaken; open while null.
CREATE TABLE register_reject (
  delivery  BIGINT  NOT NULL REFERENCES register_delivery (id),
  ord       BIGINT  NOT NULL,
  register  TEXT    NOT NULL,
  stands    BIGINT  NOT NULL,
  content   BIGINT  NOT NULL,
  key_hash  BIGINT  NOT NULL,
  month     INTEGER NOT NULL,
  reasons   TEXT    NOT NULL,
  closed_by BIGINT,
  PRIMARY KEY (delivery, ord)
);
CREATE INDEX register_reject_open ON register_reject (register, closed_by);

-- One row a pair of holders that a delivered row calls one person though two citizens' numbers name them: nobody can tell, so they stay two until a
-- person decides. known: yyyymmdd, the day on which the delivery was received.
CREATE TABLE register_pair (
  holder   BIGINT  NOT NULL REFERENCES vault_holder (id),
  other    BIGINT  NOT NULL REFERENCES vault_holder (id),
  register TEXT    NOT NULL,
  delivery BIGINT  NOT NULL REFERENCES register_delivery (id),
  known    INTEGER NOT NULL,
  PRIMARY KEY (holder, other)
);

-- +goose Down
DROP TABLE register_pair;
DROP TABLE register_reject;
ALTER TABLE lake_file DROP COLUMN columns;
ALTER TABLE lake_file DROP COLUMN stands_seq;
ALTER TABLE lake_file DROP COLUMN stands;
