package fileplan

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"streamgen/internal/diag"
	"streamgen/internal/spec"
)

func TestCreatedDestinations(t *testing.T) {
	for name, c := range map[string]struct {
		prefix    string
		onFailure spec.OnFailure
		want      []Argument
		addresses []string
	}{
		"none": {"", spec.OnFailure{Type: "none"}, nil, nil},
		"arn":  {"", spec.OnFailure{Type: "arn", ARN: "arn:aws:sqs:us-east-1:1:q"}, nil, nil},
		"queue": {
			"shop-", spec.OnFailure{Type: "sqs", MessageRetention: 60},
			[]Argument{{"name", "shop-ship-v1-failures"}, {"message_retention_seconds", 60}, {"sqs_managed_sse_enabled", true}},
			[]string{"aws_sqs_queue.ship_failures"},
		},
		"queue with a customer key": {
			"", spec.OnFailure{Type: "sqs", MessageRetention: 60, KMSKeyARN: customerKey},
			[]Argument{{"name", "ship-v1-failures"}, {"message_retention_seconds", 60}, {"kms_master_key_id", customerKey}},
			[]string{"aws_sqs_queue.ship_failures"},
		},
		"topic": {
			"", spec.OnFailure{Type: "sns"},
			[]Argument{{"name", "ship-v1-failures"}, {"kms_master_key_id", "alias/aws/sns"}},
			[]string{"aws_sns_topic.ship_failures"},
		},
		"topic with a customer key": {
			"", spec.OnFailure{Type: "sns", KMSKeyARN: customerKey},
			[]Argument{{"name", "ship-v1-failures"}, {"kms_master_key_id", customerKey}},
			[]string{"aws_sns_topic.ship_failures"},
		},
		"bucket": {
			"_My_Shop-", spec.OnFailure{Type: "s3"},
			[]Argument{{"bucket", Text{"my-shop-ship-v1-failures-", account}}},
			[]string{
				"aws_s3_bucket.ship_failures", "aws_s3_bucket_public_access_block.ship_failures",
				"aws_s3_bucket_server_side_encryption_configuration.ship_failures",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := shopHandler(t, func(s *spec.Spec, h *spec.Handler) {
				s.NamePrefix = c.prefix
				h.Sources[0].OnFailure = c.onFailure
				h.Sources = append(h.Sources, h.Sources[0])
			})
			if c.want == nil {
				if got := h.Created(); got != nil {
					t.Fatalf("made: %v", got)
				}
				return
			}
			created := h.Created()
			if len(created) != 1 {
				t.Fatalf("%d made, want one for both mappings", len(created))
			}
			if diff := cmp.Diff(c.want, created[0].Settings()); diff != "" {
				t.Errorf("settings (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.addresses, created[0].Addresses()); diff != "" {
				t.Errorf("addresses (-want +got):\n%s", diff)
			}
		})
	}
}

func TestBucketEncryption(t *testing.T) {
	rule := func(key string) Block {
		return shopHandler(t, func(_ *spec.Spec, h *spec.Handler) {
			h.Sources[0].OnFailure = spec.OnFailure{Type: "s3", KMSKeyARN: key}
		}).Bucket().Encryption()
	}
	const by = "apply_server_side_encryption_by_default"
	want := Block{Name: "rule", Blocks: []Block{{Name: by, Arguments: []Argument{{"sse_algorithm", "AES256"}}}}}
	if diff := cmp.Diff(want, rule("")); diff != "" {
		t.Errorf("without a key (-want +got):\n%s", diff)
	}
	want = Block{
		Name: "rule", Arguments: []Argument{{"bucket_key_enabled", true}},
		Blocks: []Block{{Name: by, Arguments: []Argument{{"sse_algorithm", "aws:kms"}, {"kms_master_key_id", customerKey}}}},
	}
	if diff := cmp.Diff(want, rule(customerKey)); diff != "" {
		t.Errorf("with a key (-want +got):\n%s", diff)
	}
}

// TestBucketNameOfEnvironments: the prefix is made fit where it is known, in terraform.
func TestBucketNameOfEnvironments(t *testing.T) {
	h := shopHandler(t, func(s *spec.Spec, h *spec.Handler) {
		h.Sources[0].OnFailure.Type = "s3"
		s.Environments = []spec.Environment{{Settings: spec.Settings{NamePrefix: "prod-"}}}
	})
	want := Text{Expression(`lower(replace(var.name_prefix, "_", "-"))`), "ship-v1-failures-", account}
	if diff := cmp.Diff(any(want), h.Bucket().Name); diff != "" {
		t.Errorf("name (-want +got):\n%s", diff)
	}
}

// TestFailureBucket: the name that commands look for is the one that terraform makes.
func TestFailureBucket(t *testing.T) {
	for name, c := range map[string]struct {
		settings               []spec.Settings // the project's own first, then those of environments
		prefix, function, want string
		inTerraform            any
	}{
		"one prefix": {[]spec.Settings{{NamePrefix: "My_"}}, "My_", "Ship_V1", "my-ship-v1-failures-123", Text{"my-ship-v1-failures-", account}},
		"several":    {[]spec.Settings{{}, {NamePrefix: "Prod_"}}, "Prod_", "_Ship", "prod-ship-failures-123", Text{Expression(`lower(replace(var.name_prefix, "_", "-"))`), "ship-failures-", account}},
	} {
		var all *spec.Spec
		h := shopHandler(t, func(s *spec.Spec, h *spec.Handler) {
			h.Sources[0].OnFailure.Type, h.FunctionName, s.Settings = "s3", c.function, c.settings[0]
			for _, e := range c.settings[1:] {
				s.Environments = append(s.Environments, spec.Environment{Settings: e})
			}
			all = s
		})
		if d := cmp.Diff(c.inTerraform, h.Bucket().Name); d != "" {
			t.Errorf("%s, in terraform (-want +got):\n%s", name, d)
		}
		if got := FailureBucket(all, c.prefix, c.function, "123"); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestCheckDestinations(t *testing.T) {
	second := func(onFailure spec.OnFailure) func(*spec.Spec, *spec.Handler) {
		return func(_ *spec.Spec, h *spec.Handler) {
			h.Sources[0].OnFailure = spec.OnFailure{Type: "sqs", MessageRetention: 60}
			other := shopSource("customers")
			other.OnFailure, other.Origin.Pos = onFailure, at(20)
			h.Sources = append(h.Sources, other)
		}
	}
	bucket := func(prefix, function string) func(*spec.Spec, *spec.Handler) {
		return func(s *spec.Spec, h *spec.Handler) {
			h.Sources[0].OnFailure.Type, h.FunctionName = "s3", function
			s.Environments = []spec.Environment{{Settings: spec.Settings{NamePrefix: prefix}}}
		}
	}
	for name, c := range map[string]struct {
		change func(*spec.Spec, *spec.Handler)
		want   diag.Finding
	}{
		"alike":        {second(spec.OnFailure{Type: "sqs", MessageRetention: 60}), diag.Finding{}},
		"another kind": {second(spec.OnFailure{Type: "sns"}), diag.Finding{}},
		"none":         {second(spec.OnFailure{Type: "none"}), diag.Finding{}},
		"otherwise": {
			second(spec.OnFailure{Type: "sqs", MessageRetention: 61}),
			diag.Finding{
				Code: "colliding-names", Pos: at(20), Detail: "gen.yaml:10:3",
				Summary: `the mappings of the tables "orders" and "customers" would share the destination ship-v1-failures and set it up differently`,
			},
		},
		"queues of others": {
			func(_ *spec.Spec, h *spec.Handler) {
				h.Sources[0].OnFailure = spec.OnFailure{Type: "arn", ARN: "arn:aws:sqs:us-east-1:1:a"}
				h.Sources = append(h.Sources, h.Sources[0])
				h.Sources[1].OnFailure.ARN = "arn:aws:sqs:us-east-1:1:b"
			},
			diag.Finding{},
		},
		"bucket's name": {bucket("prod-", strings.Repeat("x", 36)), diag.Finding{}},
		"prefix makes name too long": {
			bucket("prod-", strings.Repeat("x", 37)),
			diag.Finding{
				Code: "invalid-value", Pos: at(10), Detail: "destination_arn",
				Summary: "the bucket prod-" + strings.Repeat("x", 37) +
					"-failures-<account> for failed records would have more than the 63 characters that S3 allows",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var got diag.Findings
			shopHandler(t, c.change).checkDestinations(&got)
			switch {
			case c.want.Code == "" && len(got) == 0:
			case len(got) != 1 || got[0].Code != c.want.Code || got[0].Pos != c.want.Pos || got[0].Summary != c.want.Summary ||
				!strings.Contains(got[0].Detail, c.want.Detail):
				t.Errorf("findings %+v\nwant %+v", got, c.want)
			}
		})
	}
}
