package dynamodb

import (
	"strings"

	"streamgen/internal/local/engine"
	"streamgen/internal/local/wire"
)

type sseSpecification struct {
	Enabled        *bool
	KMSMasterKeyID string `json:"KMSMasterKeyId"`
	SSEType        string
}

type sseDescription struct {
	KMSMasterKeyArn string
	SSEType         string
	Status          string
}

// encryption is what an SSESpecification, which may be nil, asks for.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_SSESpecification.html
func (spec *sseSpecification) encryption() (*engine.Encryption, error) {
	if spec == nil {
		return nil, nil
	}
	const managed = "alias/aws/dynamodb"
	enabled, key := spec.Enabled != nil && *spec.Enabled, spec.KMSMasterKeyID
	switch {
	case !enabled && (spec.SSEType != "" || key != ""):
		return nil, wire.Errorf("ValidationException", "One or more parameter values were invalid: SSEType and KMSMasterKeyId can only be specified when SSESpecification is enabled")
	case spec.SSEType == "AES256":
		return nil, wire.Errorf("ValidationException", "One or more parameter values were invalid: SSEType AES256 is not supported")
	case key == managed || strings.HasSuffix(key, ":"+managed):
		key = ""
	case strings.HasPrefix(key, "alias/") || strings.Contains(key, ":alias/"):
		return nil, wire.NotEmulated("an alias as KMSMasterKeyId")
	}
	return &engine.Encryption{Enabled: enabled, Key: key}, nil
}

func describeEncryption(e engine.Encryption) *sseDescription {
	if !e.Enabled {
		return nil
	}
	return &sseDescription{KMSMasterKeyArn: e.Key, SSEType: "KMS", Status: "ENABLED"}
}
