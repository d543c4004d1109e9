package keys

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"

	"github.com/google/uuid"
)

// A ciphertext is this stack's own: a version, the key's id, the number of its material, and what AES-GCM sealed, nonce first. AWS's form
// is not published.
const (
	blobVersion = 1
	blobHeader  = 1 + 16 + 4
)

// usable gives a key that may encrypt and decrypt now. The caller holds k.mu.
func (k *Keys) usable(name string) (*key, error) {
	e, err := k.find(name)
	if err != nil {
		return nil, err
	}
	switch e.State {
	case StateDisabled:
		return nil, errorf(Disabled, "%s is disabled.", e.ARN)
	case StatePendingDeletion:
		return nil, errorf(InvalidState, "%s is pending deletion.", e.ARN)
	}
	return e, nil
}

func seal(material []byte) cipher.AEAD {
	block, _ := aes.NewCipher(material) // 32 bytes: cannot fail
	gcm, _ := cipher.NewGCM(block)      // AES's block size: cannot fail
	return gcm
}

// bound is what a ciphertext is bound to: its header and the encryption context.
func bound(header []byte, context map[string]string) []byte {
	text, _ := json.Marshal(context) // the keys in order; strings only: cannot fail
	if len(context) == 0 {
		text = nil
	}
	return append(append([]byte{}, header...), text...)
}

// Encrypt encrypts with the key of a name, bound to a context that may be empty, and gives the ciphertext and the key's ARN.
func (k *Keys) Encrypt(name string, plain []byte, context map[string]string) (blob []byte, keyARN string, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	e, err := k.usable(name)
	if err != nil {
		return nil, "", err
	}
	id, _ := uuid.Parse(e.ID) // it was made as one
	blob = append([]byte{blobVersion}, id[:]...)
	blob = binary.BigEndian.AppendUint32(blob, uint32(len(e.Material)-1)) //nolint:gosec // a few
	gcm := seal(e.Material[len(e.Material)-1])
	nonce := make([]byte, gcm.NonceSize())
	_, _ = rand.Read(nonce) // never fails
	header := bound(blob, context)
	return gcm.Seal(append(blob, nonce...), nonce, plain, header), e.ARN, nil
}

// Of gives the ARN of the key that a ciphertext names.
func (k *Keys) Of(blob []byte) (arn string, ok bool) {
	if len(blob) < blobHeader || blob[0] != blobVersion {
		return "", false
	}
	key, err := k.Get(uuid.UUID(blob[1:17]).String())
	return key.ARN, err == nil
}

// Decrypt opens a ciphertext and gives the ARN of its key. name may be "": the ciphertext tells its key.
func (k *Keys) Decrypt(name string, blob []byte, context map[string]string) (plain []byte, keyARN string, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(blob) < blobHeader || blob[0] != blobVersion {
		return nil, "", errorf(InvalidCiphertext, "")
	}
	id := uuid.UUID(blob[1:17]).String()
	if name != "" {
		named, err := k.usable(name)
		if err != nil {
			return nil, "", err
		}
		if named.ID != id {
			return nil, "", errorf(IncorrectKey, "The key ID in the request does not identify a CMK that can perform this operation.")
		}
	}
	if _, known := k.keys[id]; !known {
		return nil, "", errorf(InvalidCiphertext, "")
	}
	e, err := k.usable(id)
	if err != nil {
		return nil, "", err
	}
	number := int(binary.BigEndian.Uint32(blob[17:blobHeader]))
	if number >= len(e.Material) {
		return nil, "", errorf(InvalidCiphertext, "")
	}
	gcm, rest := seal(e.Material[number]), blob[blobHeader:]
	if len(rest) < gcm.NonceSize() {
		return nil, "", errorf(InvalidCiphertext, "")
	}
	plain, err = gcm.Open(nil, rest[:gcm.NonceSize()], rest[gcm.NonceSize():], bound(blob[:blobHeader], context))
	if err != nil {
		return nil, "", errorf(InvalidCiphertext, "")
	}
	return plain, e.ARN, nil
}
