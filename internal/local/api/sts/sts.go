// Package sts is the front end of AWS STS in the local stack.
package sts

import (
	"context"
	"net/http"
	"net/url"

	"streamgen/internal/local/wire"
)

// The names of STS on the wire.
const (
	Namespace = "https://sts.amazonaws.com/doc/2011-06-15/"
	Version   = "2011-06-15"
)

// New gives the front end. Whoever calls is the root user of the account: the stack knows no other identities.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
func New(account string) http.Handler {
	identity := struct{ Arn, UserId, Account string }{"arn:aws:iam::" + account + ":root", account, account}
	return &wire.Query{Namespace: Namespace, Version: Version, Operations: map[string]wire.QueryOperation{
		"GetCallerIdentity": {Do: func(context.Context, url.Values) (any, error) { return identity, nil }},
	}}
}
