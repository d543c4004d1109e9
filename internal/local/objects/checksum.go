package objects

import (
	"crypto/sha1" //nolint:gosec // S3 takes it as a checksum
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"hash/crc32"
	"hash/crc64"
)

// The algorithms of [Checksum].
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
const (
	CRC32     = "CRC32"
	CRC32C    = "CRC32C"
	CRC64NVME = "CRC64NVME"
	SHA1      = "SHA1"
	SHA256    = "SHA256"
)

// nvme is the reflected polynomial of CRC-64/NVME.
const nvme = 0x9a6c9329ac4bc9b5

// Sum gives the checksum of a content; of one that is not known, the zero value.
func Sum(algorithm string, content []byte) Checksum {
	var h hash.Hash
	switch algorithm {
	case CRC32:
		h = crc32.NewIEEE()
	case CRC32C:
		h = crc32.New(crc32.MakeTable(crc32.Castagnoli))
	case CRC64NVME:
		h = crc64.New(crc64.MakeTable(nvme))
	case SHA1:
		h = sha1.New() //nolint:gosec // see the import
	case SHA256:
		h = sha256.New()
	default:
		return Checksum{}
	}
	_, _ = h.Write(content) // never fails
	return Checksum{algorithm, base64.StdEncoding.EncodeToString(h.Sum(nil))}
}
