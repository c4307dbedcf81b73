// Package files keeps files for good: attachments of cases, and the original deliveries that registers were loaded from.
//
// A file is known by the sum of its content, the SHA-256 in hex, which Put returns and Open wants. The same content put twice lies
// there once. Nothing is ever changed in place.
//
// On disk everything is sealed, and the name tells nothing either: it is the key ring's index of the sum, so that nobody without
// the keys can ask whether a known document is here. A stored file is
//
//	8      "bole-f1\n"
//	16     its own random id
//	73     sealed: the sum (32 bytes) and the size (8)
//	...    sealed: the content in chunks of 1 MiB; the last is shorter, or empty for an empty file
//
// The id, the chunk's number and whether it is the last one are the context of each chunk's seal; so a chunk that is missing, moved,
// or taken from another file does not open. The head names the sum, so a file moved to another name is refused before it is read.
//
// A file is written beside its place under a name beginning with "put-", synced and renamed: a reader sees all of it or none. A
// crash may leave a put- file behind; it is sealed like the rest and nobody reads it.
//
// Reseal writes every file anew that an older key sealed, under a name beginning with "reseal-" and then in the place of the old one.
package files
