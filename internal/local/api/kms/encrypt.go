package kms

import (
	"crypto/rand"
	"maps"
	"slices"

	"streamgen/internal/local/wire"
)

// Limits in bytes. https://docs.aws.amazon.com/kms/latest/APIReference/API_Encrypt.html
const (
	maxPlaintext  = 4096
	maxCiphertext = 6144
	maxRandom     = 1024
)

func sortedTags(tags map[string]string) []tag {
	var all []tag
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		all = append(all, tag{key, tags[key]})
	}
	return all
}

// checkAlgorithm refuses an algorithm that a symmetric key has not.
func checkAlgorithm(name string) error {
	if name != "" && name != symmetric {
		return wire.Errorf("InvalidKeyUsageException", "Algorithm %s and key spec %s are incompatible.", name, symmetric)
	}
	return nil
}

func checkLength(member string, value []byte, most int) error {
	if len(value) < 1 {
		return invalid("Value at '%s' failed to satisfy constraint: Member must have length greater than or equal to 1", member)
	}
	if len(value) > most {
		return invalid("Value at '%s' failed to satisfy constraint: Member must have length less than or equal to %d", member, most)
	}
	return nil
}

type encryptInput struct {
	KeyID               string `json:"KeyId"`
	Plaintext           []byte
	EncryptionAlgorithm string
	EncryptionContext   map[string]string
	GrantTokens         []string
	DryRun              *bool
}

type encryptOutput struct {
	CiphertextBlob      []byte
	KeyID               string `json:"KeyId"`
	EncryptionAlgorithm string
}

func (s service) encrypt(in *encryptInput) (*encryptOutput, error) {
	if err := checkKeyID(in.KeyID, in.GrantTokens, in.DryRun); err != nil {
		return nil, err
	}
	if err := checkLength("plaintext", in.Plaintext, maxPlaintext); err != nil {
		return nil, err
	}
	if err := checkAlgorithm(in.EncryptionAlgorithm); err != nil {
		return nil, err
	}
	blob, arn, err := s.keys.Encrypt(in.KeyID, in.Plaintext, in.EncryptionContext)
	if err != nil {
		return nil, err
	}
	return &encryptOutput{blob, arn, symmetric}, nil
}

type decryptInput struct {
	KeyID               string `json:"KeyId"`
	CiphertextBlob      []byte
	EncryptionAlgorithm string
	EncryptionContext   map[string]string
	GrantTokens         []string
	DryRun              *bool
}

type decryptOutput struct {
	KeyID               string `json:"KeyId"`
	Plaintext           []byte
	EncryptionAlgorithm string
}

func (s service) decrypt(in *decryptInput) (*decryptOutput, error) {
	if err := checkOptions(in.GrantTokens, in.DryRun); err != nil {
		return nil, err
	}
	if err := checkLength("ciphertextBlob", in.CiphertextBlob, maxCiphertext); err != nil {
		return nil, err
	}
	if err := checkAlgorithm(in.EncryptionAlgorithm); err != nil {
		return nil, err
	}
	plain, arn, err := s.keys.Decrypt(in.KeyID, in.CiphertextBlob, in.EncryptionContext)
	if err != nil {
		return nil, err
	}
	return &decryptOutput{arn, plain, symmetric}, nil
}

type reEncryptInput struct {
	CiphertextBlob                 []byte
	SourceKeyID                    string `json:"SourceKeyId"`
	SourceEncryptionContext        map[string]string
	SourceEncryptionAlgorithm      string
	DestinationKeyID               string `json:"DestinationKeyId"`
	DestinationEncryptionContext   map[string]string
	DestinationEncryptionAlgorithm string
	GrantTokens                    []string
	DryRun                         *bool
}

type reEncryptOutput struct {
	CiphertextBlob                 []byte
	SourceKeyID                    string `json:"SourceKeyId"`
	KeyID                          string `json:"KeyId"`
	SourceEncryptionAlgorithm      string
	DestinationEncryptionAlgorithm string
}

func (s service) reEncrypt(in *reEncryptInput) (*reEncryptOutput, error) {
	if err := checkKeyID(in.DestinationKeyID, in.GrantTokens, in.DryRun); err != nil {
		return nil, err
	}
	if err := checkLength("ciphertextBlob", in.CiphertextBlob, maxCiphertext); err != nil {
		return nil, err
	}
	for _, algorithm := range []string{in.SourceEncryptionAlgorithm, in.DestinationEncryptionAlgorithm} {
		if err := checkAlgorithm(algorithm); err != nil {
			return nil, err
		}
	}
	plain, source, err := s.keys.Decrypt(in.SourceKeyID, in.CiphertextBlob, in.SourceEncryptionContext)
	if err != nil {
		return nil, err
	}
	blob, destination, err := s.keys.Encrypt(in.DestinationKeyID, plain, in.DestinationEncryptionContext)
	if err != nil {
		return nil, err
	}
	return &reEncryptOutput{blob, source, destination, symmetric, symmetric}, nil
}

type dataKeyInput struct {
	KeyID             string `json:"KeyId"`
	KeySpec           string
	NumberOfBytes     *int
	EncryptionContext map[string]string
	GrantTokens       []string
	DryRun            *bool
}

// length is how many bytes the data key has.
func (in *dataKeyInput) length() (int, error) {
	switch {
	case (in.KeySpec == "") == (in.NumberOfBytes == nil):
		return 0, wire.Errorf("ValidationException", "Please specify either number of bytes or key spec.")
	case in.KeySpec == "AES_256":
		return 32, nil
	case in.KeySpec == "AES_128":
		return 16, nil
	case in.KeySpec != "":
		return 0, invalid("Value '%s' at 'keySpec' failed to satisfy constraint: Member must satisfy enum value set: [AES_256, AES_128]", in.KeySpec)
	}
	return checkBytes(in.NumberOfBytes)
}

func checkBytes(n *int) (int, error) {
	if n == nil || *n < 1 || *n > maxRandom {
		return 0, invalid("Value at 'numberOfBytes' failed to satisfy constraint: Member must have value between 1 and %d", maxRandom)
	}
	return *n, nil
}

type dataKeyOutput struct {
	CiphertextBlob []byte
	Plaintext      []byte `json:",omitempty"`
	KeyID          string `json:"KeyId"`
}

func (s service) generateDataKey(in *dataKeyInput) (*dataKeyOutput, error) {
	if err := checkKeyID(in.KeyID, in.GrantTokens, in.DryRun); err != nil {
		return nil, err
	}
	n, err := in.length()
	if err != nil {
		return nil, err
	}
	plain := make([]byte, n)
	_, _ = rand.Read(plain) // never fails
	blob, arn, err := s.keys.Encrypt(in.KeyID, plain, in.EncryptionContext)
	if err != nil {
		return nil, err
	}
	return &dataKeyOutput{blob, plain, arn}, nil
}

func (s service) generateDataKeyWithoutPlaintext(in *dataKeyInput) (*dataKeyOutput, error) {
	out, err := s.generateDataKey(in)
	if err != nil {
		return nil, err
	}
	out.Plaintext = nil
	return out, nil
}

type randomInput struct{ NumberOfBytes *int }

type randomOutput struct{ Plaintext []byte }

func (s service) generateRandom(in *randomInput) (*randomOutput, error) {
	n, err := checkBytes(in.NumberOfBytes)
	if err != nil {
		return nil, err
	}
	plain := make([]byte, n)
	_, _ = rand.Read(plain) // never fails
	return &randomOutput{plain}, nil
}
