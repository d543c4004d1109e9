package local

import (
	"fmt"
	"net/http"
	"time"

	cloudwatchapi "streamgen/internal/local/api/cloudwatch"
	kmsapi "streamgen/internal/local/api/kms"
	secretsapi "streamgen/internal/local/api/secretsmanager"
	ssmapi "streamgen/internal/local/api/ssm"
	"streamgen/internal/local/control"
	"streamgen/internal/local/durable"
	"streamgen/internal/local/keys"
	"streamgen/internal/local/metrics"
	"streamgen/internal/local/parameters"
	"streamgen/internal/local/secrets"
)

// platform is what a region has beside what streams and handlers are made of: what these are encrypted, configured and watched with.
type platform struct {
	kms, ssm, secretsmanager http.Handler
	cloudwatch               cloudwatchapi.Front

	keys       *keys.Keys
	parameters *parameters.Store
	secrets    *secrets.Store
	meter      meter
	alarms     *metrics.Alarms
}

// newPlatform makes a region's platform, which watches its queues and its log groups.
func (s *Stack) newPlatform(region string, queues *control.Queues, groups *control.Logs) platform {
	k := keys.New(Account, region, s.opts.Clock)
	params, secret := parameters.New(Account, region, s.opts.Clock, k), secrets.New(Account, region, s.opts.Clock, k)
	m := meter{metrics.NewStore(s.opts.Clock)}
	alarms := metrics.NewAlarms(metrics.Options{Account: Account, Region: region, Clock: s.opts.Clock, Store: m.store,
		Sample: func(ended time.Time) { m.sample(queues, ended) }, Publish: s.publishAlarm})
	queues.Observe(func(queue, name string, value float64) {
		m.queue(queue, name, value)
		alarms.Touch()
	})
	groups.Subscribe(func(e control.LogEvent) { m.logged(groups, e) })
	return platform{
		kms: kmsapi.New(k, Account, s.opts.policies()), keys: k,
		ssm: ssmapi.New(params), parameters: params,
		secretsmanager: secretsapi.New(secret, s.opts.policies()), secrets: secret,
		cloudwatch: cloudwatchapi.New(m.store, alarms, s.opts.Clock), meter: m, alarms: alarms,
	}
}

// restorePlatform takes from the data folder what a region's platform has.
func (p *platform) restorePlatform(space func(kind string) *durable.Space) error {
	if err := p.keys.Restore(space("kms-keys"), space("kms-aliases")); err != nil {
		return fmt.Errorf("restoring KMS keys: %w", err)
	}
	if err := p.parameters.Restore(space("parameters")); err != nil {
		return fmt.Errorf("restoring parameters: %w", err)
	}
	if err := p.secrets.Restore(space("secrets")); err != nil {
		return fmt.Errorf("restoring secrets: %w", err)
	}
	return nil
}

// platformTargets are the services of a platform by what stands before the operation in X-Amz-Target.
var platformTargets = map[string]struct {
	service string
	handler func(*regional) http.Handler
}{
	kmsapi.Target:         {"kms", func(r *regional) http.Handler { return r.kms }},
	ssmapi.Target:         {"ssm", func(r *regional) http.Handler { return r.ssm }},
	secretsapi.Target:     {"secretsmanager", func(r *regional) http.Handler { return r.secretsmanager }},
	cloudwatchapi.Service: {"monitoring", func(r *regional) http.Handler { return r.cloudwatch.JSON }},
}
