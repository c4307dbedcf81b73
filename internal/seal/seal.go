package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"sync"
	"sync/atomic"

	"github.com/emmansun/gmsm/sm3"
	"github.com/emmansun/gmsm/sm4"

	"bole/internal/fault"
)

// suite is a pair of algorithms that a ring uses together.
type suite struct {
	keySize int // bytes of a sealing key
	block   func(key []byte) (cipher.Block, error)
	hash    func() hash.Hash
}

// The suites, by the name that stands in the ring.
var suites = map[string]suite{
	"sm":  {16, sm4.NewCipher, sm3.New},
	"aes": {32, aes.NewCipher, sha256.New},
}

func (s suite) aead(key []byte) (cipher.AEAD, error) {
	b, err := s.block(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(b)
}

const (
	envelopeVersion = 1
	headerSize      = 1 + idSize // version and key id
	nonceSize       = 12
	tagSize         = 16
)

// Overhead is how many bytes an envelope is longer than its text.
const Overhead = headerSize + nonceSize + tagSize

// Keys is an opened key ring. All its methods may be called from several goroutines.
type Keys struct {
	suite   string
	dir     string                        // where the ring lies
	sealing atomic.Pointer[[]*sealingKey] // the current one first, at least one
	macs    sync.Pool                     // of *mac
}

// KeyID names a sealing key of a ring. It stands in every envelope and tells nothing about the key.
type KeyID [idSize]byte

// String is the id in hex, as keys.json has it.
func (id KeyID) String() string { return hex.EncodeToString(id[:]) }

type sealingKey struct {
	id   KeyID
	aead cipher.AEAD
}

// Suite is "sm" or "aes".
func (k *Keys) Suite() string { return k.suite }

// IDs names the sealing keys of the ring, the current one first.
func (k *Keys) IDs() []KeyID {
	var out []KeyID
	for _, s := range *k.sealing.Load() {
		out = append(out, s.id)
	}
	return out
}

// Current names the key that Seal uses now.
func (k *Keys) Current() KeyID { return (*k.sealing.Load())[0].id }

// SealedWith names the key that an envelope was sealed with; ok is whether it has the form of an envelope.
func SealedWith(sealed []byte) (id KeyID, ok bool) {
	if len(sealed) < Overhead || sealed[0] != envelopeVersion {
		return id, false
	}
	return KeyID(sealed[1:headerSize]), true
}

func find(keys []*sealingKey, id KeyID) *sealingKey {
	for _, s := range keys {
		if s.id == id {
			return s
		}
	}
	return nil
}

// Seal returns the envelope of plain, Overhead bytes longer. Two envelopes of the same text differ. Context says where the envelope
// belongs; Unseal wants the same.
func (k *Keys) Seal(plain, context []byte) []byte {
	key := (*k.sealing.Load())[0]
	out := make([]byte, headerSize+nonceSize, len(plain)+Overhead)
	out[0] = envelopeVersion
	copy(out[1:], key.id[:])
	nonce := out[headerSize:]
	rand.Read(nonce)
	return key.aead.Seal(out, nonce, plain, additional(out, context))
}

// Unseal returns the text of an envelope. One that was sealed with a key that another process added to the ring meanwhile opens as well:
// the ring is read again.
//
// Errors: NotFound if the ring has no key of the envelope's id: it was sealed by another ring; Invalid if it is no envelope, was
// changed or cut, or belongs to another context. No part of the text is returned with an error.
func (k *Keys) Unseal(sealed, context []byte) ([]byte, error) {
	const op = "seal.Unseal"
	id, ok := SealedWith(sealed)
	if !ok {
		return nil, fault.New(op, fault.Invalid, "seal.broken")
	}
	key := find(*k.sealing.Load(), id)
	if key == nil && k.Reload() == nil {
		key = find(*k.sealing.Load(), id)
	}
	if key == nil {
		return nil, fault.New(op, fault.NotFound, "seal.key_unknown")
	}
	body := sealed[headerSize+nonceSize:]
	plain, err := key.aead.Open(make([]byte, 0, len(body)-tagSize), sealed[headerSize:headerSize+nonceSize], body, additional(sealed, context))
	if err != nil {
		return nil, fault.New(op, fault.Invalid, "seal.broken")
	}
	return plain, nil
}

// additional is what an envelope's tag protects beside its text. The header has a fixed length, so header and context cannot be
// mistaken for one another.
func additional(envelope, context []byte) []byte {
	return append(envelope[:headerSize:headerSize], context...)
}

// mac is a hash state and the message it is about to take; both are used again and again.
type mac struct {
	hash    hash.Hash
	message []byte
	sum     []byte
}

func newMAC(h func() hash.Hash, key []byte) *mac { return &mac{hash: hmac.New(h, key)} }

// Index is the keyed fingerprint of a value within a domain, "id_number" or "phone": the suite's HMAC of both, cut to 128 bits.
// The same for the life of the ring. The caller normalises the value first: one character more is another fingerprint. It costs
// about a microsecond.
func (k *Keys) Index(domain, value string) [16]byte {
	m := k.macs.Get().(*mac)
	m.message = binary.AppendUvarint(m.message[:0], uint64(len(domain))) // so that ("ab", "c") is not ("a", "bc")
	m.message = append(append(m.message, domain...), value...)
	m.hash.Reset()
	m.hash.Write(m.message)
	m.sum = m.hash.Sum(m.sum[:0])
	clear(m.message) // an idle state keeps nobody's number
	out := [16]byte(m.sum)
	k.macs.Put(m)
	return out
}
