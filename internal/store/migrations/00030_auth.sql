-- +goose Up

-- One row an account; never removed, and its name never given to another, so that the log stays true. subject: the person or employer in the
-- registers that it stands for, '' for none. at, everywhere below: epoch microseconds; an "ended" that is null means: in force.
CREATE TABLE auth_account (
  id      INTEGER PRIMARY KEY,
  name    TEXT    NOT NULL UNIQUE,
  subject TEXT    NOT NULL,
  made    BIGINT  NOT NULL,
  ended   BIGINT
);

-- What an account signs in with, sealed with the home's key: the hash of a password with its parameters, the secret of one-time codes. ref: '' for
-- these two; a passkey's id; issuer and subject of another office's sign-in. used: the step of the last one-time code, a passkey's counter, else 0.
CREATE TABLE auth_credential (
  account BIGINT NOT NULL REFERENCES auth_account (id),
  kind    TEXT   NOT NULL CHECK (kind IN ('password', 'totp', 'passkey', 'oidc')),
  ref     TEXT   NOT NULL,
  sealed  BLOB   NOT NULL,
  used    BIGINT NOT NULL,
  made    BIGINT NOT NULL,
  PRIMARY KEY (account, kind, ref)
);

-- One row a one-time link: the keyed hash of its secret. ended: when it was used, or another took its place.
CREATE TABLE auth_link (
  hash    BLOB   PRIMARY KEY,
  account BIGINT NOT NULL REFERENCES auth_account (id),
  made    BIGINT NOT NULL,
  expires BIGINT NOT NULL,
  ended   BIGINT
);
CREATE INDEX auth_link_account ON auth_link (account);

-- One row a role of an account, with its scope; an account has a role once at a time. The bodies are in the table below.
CREATE TABLE auth_grant (
  id      INTEGER PRIMARY KEY,
  account BIGINT  NOT NULL REFERENCES auth_account (id),
  role    TEXT    NOT NULL,
  scope   TEXT    NOT NULL CHECK (scope IN ('own', 'below', 'all', 'chosen', 'self')),
  made    BIGINT  NOT NULL,
  ended   BIGINT
);
CREATE UNIQUE INDEX auth_grant_once ON auth_grant (account, role) WHERE ended IS NULL;

CREATE TABLE auth_grant_body (
  grant_id BIGINT NOT NULL REFERENCES auth_grant (id),
  body     TEXT   NOT NULL,
  PRIMARY KEY (grant_id, body)
);

-- One row a session: the keyed hash of what the browser holds. It ends unused at idle, in any case at expires, or at ended before.
CREATE TABLE auth_session (
  id      TEXT    PRIMARY KEY,
  hash    BLOB    NOT NULL UNIQUE,
  account BIGINT  NOT NULL REFERENCES auth_account (id),
  source  TEXT    NOT NULL,
  made    BIGINT  NOT NULL,
  seen    BIGINT  NOT NULL,
  idle    BIGINT  NOT NULL,
  expires BIGINT  NOT NULL,
  ended   BIGINT
);
CREATE INDEX auth_session_account ON auth_session (account);

-- One row a token: the keyed hash of its text. permissions: parted by blanks. parent: the token that made it, null where a password did. seen: last
-- used, null for never.
CREATE TABLE auth_token (
  id          TEXT    PRIMARY KEY,
  hash        BLOB    NOT NULL UNIQUE,
  account     BIGINT  NOT NULL REFERENCES auth_account (id),
  parent      TEXT    REFERENCES auth_token (id),
  title       TEXT    NOT NULL,
  permissions TEXT    NOT NULL,
  made        BIGINT  NOT NULL,
  expires     BIGINT  NOT NULL,
  seen        BIGINT,
  ended       BIGINT
);
CREATE INDEX auth_token_account ON auth_token (account);

-- Sign-ins that failed, counted by account and by source. idx: keyed hash of the name that was typed, whether or not there is such an account, or
-- of the source. until: nothing is tried before that. refused: how many were turned away since the last that was tried.
CREATE TABLE auth_failure (
  kind     TEXT   NOT NULL,
  idx      BLOB   NOT NULL,
  failures BIGINT NOT NULL CHECK (failures >= 0),
  refused  BIGINT NOT NULL CHECK (refused >= 0),
  last     BIGINT NOT NULL,
  until    BIGINT NOT NULL,
  PRIMARY KEY (kind, idx)
);
CREATE INDEX auth_failure_last ON auth_failure (last);

-- Who did which step of a matter, for the steps that nobody does two of.
CREATE TABLE auth_duty (
  matter  TEXT   NOT NULL,
  step    TEXT   NOT NULL,
  account BIGINT NOT NULL REFERENCES auth_account (id),
  at      BIGINT NOT NULL,
  PRIMARY KEY (matter, step, account)
);

-- +goose Down
DROP TABLE auth_duty;
DROP TABLE auth_failure;
DROP TABLE auth_token;
DROP TABLE auth_session;
DROP TABLE auth_grant_body;
DROP TABLE auth_grant;
DROP TABLE auth_link;
DROP TABLE auth_credential;
DROP TABLE auth_account;
