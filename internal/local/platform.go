package local

import (
	"fmt"
	"net/http"

	kmsapi "streamgen/internal/local/api/kms"
	"streamgen/internal/local/durable"
	"streamgen/internal/local/keys"
)

// platform is what a region has beside what streams and handlers are made of: what these are encrypted, configured and watched with.
type platform struct {
	kms http.Handler

	keys *keys.Keys
}

func (s *Stack) newPlatform(region string) platform {
	k := keys.New(Account, region, s.opts.Clock)
	return platform{kms: kmsapi.New(k, Account), keys: k}
}

// restorePlatform takes from the data folder what a region's platform has.
func (p *platform) restorePlatform(space func(kind string) *durable.Space) error {
	if err := p.keys.Restore(space("kms-keys"), space("kms-aliases")); err != nil {
		return fmt.Errorf("restoring KMS keys: %w", err)
	}
	return nil
}

// platformTargets are the services of a platform by what stands before the operation in X-Amz-Target.
var platformTargets = map[string]struct {
	service string
	handler func(*regional) http.Handler
}{
	kmsapi.Target: {"kms", func(r *regional) http.Handler { return r.kms }},
}
