// Package seal keeps personal data unreadable to whoever has the disk but not the keys.
//
// It does three things with one key ring. Seal turns a text into an envelope that only the ring's keys open; Unseal opens it;
// Index gives a short keyed fingerprint of a normalised value, so that a record can be found by an ID number or a phone without
// the number standing anywhere in the clear. Fingerprints of different domains never meet: a phone and a certificate with the same
// digits have different ones.
//
// A ring belongs to one suite: "sm" is SM4-GCM with HMAC-SM3, the national standards GB/T 32907 and GB/T 32905; "aes" is AES-256-GCM
// with HMAC-SHA-256. It lies in keys.json, readable by its owner alone, in a folder apart from the data it protects.
//
// The envelope, byte by byte:
//
//	1      version, now 1
//	4      id of the key that sealed it
//	12     nonce, fresh from crypto/rand
//	n + 16 the text and its tag; version, key id and the caller's context are authenticated with it
//
// The context says where an envelope belongs (its column and row, its file and chunk). It is not stored. An envelope moved to
// another place does not open there.
//
// A ring holds a list of sealing keys, the current one first: new envelopes name the current key and old ones still open by theirs.
// Rotate adds a key, the homes of sealed data seal everything anew, Retire drops the older keys; at every moment between, everything
// opens. A key seals at most 2^32 envelopes before its random nonces may repeat.
//
// Beside the ring lies signing.key, an SM2 key: a Signer signs with it what has to be proved elsewhere, the ends of the audit log. It is made when it is
// first needed and never rotates; whoever has its public half need not have any key of ours.
//
// The index key is one for the life of the ring. Fingerprints stand where there is no text to make them from again: in every row of
// the lake as keyed numbers and in its row hashes, in the names of sealed files, in the blind index. Another index key would cut the lake
// off from what it is compared with. It guards less than a sealing key does: with it alone one can test guesses and read nothing.
package seal
