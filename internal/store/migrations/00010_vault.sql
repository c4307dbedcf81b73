-- +goose Up

-- Who is who moves to a dated table of its own.
ALTER TABLE vault_holder DROP COLUMN person;

-- One row a statement that two holders are one human being; never changed and never removed. A holder that stands in none is a person
-- of its own. known: yyyymmdd, the day on which the delivery was received that said so. The two are in order, the lower one in person.
CREATE TABLE vault_identity (
  holder   BIGINT  NOT NULL REFERENCES vault_holder (id),
  person   BIGINT  NOT NULL REFERENCES vault_holder (id),
  known    INTEGER NOT NULL,
  delivery BIGINT  NOT NULL,
  PRIMARY KEY (holder, person, known),
  CHECK (person < holder)
);

-- One row each time that the record of a holder was sealed anew because what it says changed; n only grows. Readers that keep names
-- in memory learn from it what to read again.
CREATE TABLE vault_change (
  n      BIGINT PRIMARY KEY,
  holder BIGINT NOT NULL REFERENCES vault_holder (id)
);

-- +goose Down
DROP TABLE vault_change;
DROP TABLE vault_identity;
ALTER TABLE vault_holder ADD COLUMN person BIGINT NOT NULL DEFAULT 0;
UPDATE vault_holder SET person = id;
