// Package auth says who somebody is and what they may: accounts, roles, scopes, sessions and tokens.
//
// There is no default password, because there is no password that anybody but its owner has chosen. An account begins with a one-time link, good
// for a day; whoever opens it sets a password and is shown the secret of the one-time codes (TOTP), once. The first account of a home is a security
// administrator made with the home; every other is added by one. A lost password or phone is a new link.
//
// What may be done is a table (roles.go): a permission a button, a role a set of permissions, and pairs of roles that one account never holds
// together, with the reason. A grant gives an account a role in a scope: everything, a body, a body and those below, chosen bodies, or only what
// belongs to the account's own subject. Has asks whether a button is shown, Allows whether it works on this row, Reach which rows a list has.
// Handling bodies come as a tree of codes; what a code means, and whether it is a division, is not asked.
//
// A sign-in takes password and code together and answers one thing when it fails, in the same time, whether the account, the password or the code
// was wrong. Each try is counted before it is looked at, by the name that was typed and by where it came from, so that a thousand at once are
// not a thousand free ones; after some, each further one has to wait twice as long. A sign-in always makes a new session and ends the one that
// the browser came with.
//
// A token acts for an account from the command line or the API with some of its permissions, until a stated day. It can make a narrower one
// that lives no longer, and that one can make none. Access to the machine gives no permission.
//
// Secrets of links, sessions and tokens are 32 random bytes of which only a keyed hash is kept; password hashes (Argon2id) and the secrets of
// codes are sealed, so that the database without the keys cannot even be guessed at.
//
// Every change writes its record in the log in the same transaction; no record holds a password, a secret or a number of a person. No clock is read
// here. Passkeys and the sign-in of other offices (OIDC) will be further kinds of a credential, and end in the same session.
package auth
