package adopt

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"
	"golang.org/x/sync/errgroup"
)

// Read asks AWS for a table in the region of the settings. Only DescribeTable must be answered; of other questions that are not
// allowed, Unread tells. A table that is there but cannot be adopted is an error too.
func Read(ctx context.Context, settings aws.Config, name string) (Table, error) {
	r := &reader{db: dynamodb.NewFromConfig(settings), keys: kms.NewFromConfig(settings), name: name}
	d, err := r.describe(ctx)
	if err != nil {
		return Table{}, err
	}
	r.table = Table{
		Description: d, Insights: map[string]types.ContributorInsightsMode{}, Replicas: map[string]*Replica{}, CustomerKeys: map[string]bool{},
	}
	questions := []func(context.Context) error{r.backups, r.ttl, r.tags, r.policy, r.keyOf(d.SSEDescription), r.insights("")}
	for _, g := range d.GlobalSecondaryIndexes {
		questions = append(questions, r.insights(aws.ToString(g.IndexName)))
	}
	own, err := arn.Parse(aws.ToString(d.TableArn))
	if err != nil {
		return Table{}, fmt.Errorf("reading the table %s: %w", name, err)
	}
	for _, replica := range d.Replicas {
		if region := aws.ToString(replica.RegionName); region != own.Region {
			r.table.Replicas[region] = nil // the replica must not be missing in the entry, or an apply deletes it
			questions = append(questions, r.replica(region))
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(8)
	for _, q := range questions {
		group.Go(func() error { return q(ctx) })
	}
	if err := group.Wait(); err != nil {
		return Table{}, err
	}
	slices.Sort(r.table.Unread)
	return r.table, nil
}

// reader collects answers, which come in any order.
type reader struct {
	db   *dynamodb.Client
	keys *kms.Client
	name string

	mu    sync.Mutex
	table Table
}

func (r *reader) describe(ctx context.Context) (*types.TableDescription, error) {
	out, err := r.db.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &r.name})
	var missing *types.ResourceNotFoundException
	switch {
	case errors.As(err, &missing):
		return nil, fmt.Errorf("there is no table %s in %s", r.name, r.db.Options().Region)
	case err != nil:
		return nil, fmt.Errorf("reading the table %s: %w", r.name, err)
	}
	switch s := out.Table.TableStatus; s {
	case types.TableStatusActive, types.TableStatusUpdating:
		return out.Table, nil
	default:
		return nil, fmt.Errorf("the table %s is %s and cannot be imported", r.name, s)
	}
}

// answer takes an answer, or notes that there is none. An operation that the service does not know has nothing to tell: it is
// the local stack's, or a region's.
func (r *reader) answer(err error, what string, take func(t *Table)) error {
	var api smithy.APIError
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err == nil:
		take(&r.table)
	case errors.As(err, &api) && api.ErrorCode() == "UnknownOperationException":
	case errors.As(err, &api):
		r.table.Unread = append(r.table.Unread, fmt.Sprintf("%s (%s)", what, api.ErrorCode()))
	default:
		return fmt.Errorf("reading the table %s: %w", r.name, err)
	}
	return nil
}

func (r *reader) backups(ctx context.Context) error {
	p, err := r.recovery(ctx)
	return r.answer(err, "whether it has continuous backups, which takes dynamodb:DescribeContinuousBackups", func(t *Table) { t.Backups = p })
}

func (r *reader) recovery(ctx context.Context, at ...func(*dynamodb.Options)) (*types.PointInTimeRecoveryDescription, error) {
	out, err := r.db.DescribeContinuousBackups(ctx, &dynamodb.DescribeContinuousBackupsInput{TableName: &r.name}, at...)
	if err != nil {
		return nil, err
	}
	if d := out.ContinuousBackupsDescription; d != nil && d.PointInTimeRecoveryDescription != nil {
		return d.PointInTimeRecoveryDescription, nil
	}
	return &types.PointInTimeRecoveryDescription{PointInTimeRecoveryStatus: types.PointInTimeRecoveryStatusDisabled}, nil
}

func (r *reader) ttl(ctx context.Context) error {
	out, err := r.db.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: &r.name})
	return r.answer(err, "whether its items expire, which takes dynamodb:DescribeTimeToLive", func(t *Table) { t.TTL = out.TimeToLiveDescription })
}

func (r *reader) tags(ctx context.Context) error {
	tags := map[string]string{}
	in := dynamodb.ListTagsOfResourceInput{ResourceArn: r.table.Description.TableArn}
	for {
		out, err := r.db.ListTagsOfResource(ctx, &in)
		if err != nil {
			return r.answer(err, "its tags, which take dynamodb:ListTagsOfResource", nil)
		}
		for _, t := range out.Tags {
			tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			return r.answer(nil, "", func(t *Table) { t.Tags = tags })
		}
	}
}

func (r *reader) policy(ctx context.Context) error {
	_, err := r.db.GetResourcePolicy(ctx, &dynamodb.GetResourcePolicyInput{ResourceArn: r.table.Description.TableArn})
	var none *types.PolicyNotFoundException
	if errors.As(err, &none) {
		return nil
	}
	return r.answer(err, "whether it has a resource policy, which takes dynamodb:GetResourcePolicy", func(t *Table) { t.ResourcePolicy = true })
}

func (r *reader) insights(index string) func(context.Context) error {
	return func(ctx context.Context) error {
		in := dynamodb.DescribeContributorInsightsInput{TableName: &r.name}
		if index != "" {
			in.IndexName = &index
		}
		out, err := r.db.DescribeContributorInsights(ctx, &in)
		var none *types.ResourceNotFoundException
		if errors.As(err, &none) {
			return nil
		}
		what := "whether its keys are counted"
		if index != "" {
			what = fmt.Sprintf("whether the keys of its index %q are counted", index)
		}
		return r.answer(err, what+", which takes dynamodb:DescribeContributorInsights", func(t *Table) {
			if s := out.ContributorInsightsStatus; s == types.ContributorInsightsStatusEnabled || s == types.ContributorInsightsStatusEnabling {
				t.Insights[index] = out.ContributorInsightsMode
			}
		})
	}
}

// keyOf asks whose key encrypts. DescribeTable names the account's key aws/dynamodb as it names any other.
func (r *reader) keyOf(sse *types.SSEDescription, at ...func(*kms.Options)) func(context.Context) error {
	return func(ctx context.Context) error {
		if sse == nil || sse.KMSMasterKeyArn == nil {
			return nil
		}
		out, err := r.keys.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: sse.KMSMasterKeyArn}, at...)
		return r.answer(err, "whose the key is that encrypts it, which takes kms:DescribeKey", func(t *Table) {
			t.CustomerKeys[*sse.KMSMasterKeyArn] = out.KeyMetadata.KeyManager == kmstypes.KeyManagerTypeCustomer
		})
	}
}

// replica asks in the replica's own region, which alone knows its settings.
func (r *reader) replica(region string) func(context.Context) error {
	return func(ctx context.Context) error {
		there := func(o *dynamodb.Options) { o.Region = region }
		out, err := r.db.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &r.name}, there)
		var recovery *types.PointInTimeRecoveryDescription
		if err == nil {
			recovery, err = r.recovery(ctx, there)
		}
		err = r.answer(err, "the settings of its replica in "+region+", which take dynamodb:DescribeTable and DescribeContinuousBackups there", func(t *Table) {
			copied := Replica{
				DeletionProtection:  aws.ToBool(out.Table.DeletionProtectionEnabled),
				PointInTimeRecovery: recovery.PointInTimeRecoveryStatus == types.PointInTimeRecoveryStatusEnabled,
			}
			if s := out.Table.SSEDescription; s != nil {
				copied.KMSKeyARN = aws.ToString(s.KMSMasterKeyArn)
			}
			t.Replicas[region] = &copied
		})
		if err != nil || out == nil {
			return err
		}
		return r.keyOf(out.Table.SSEDescription, func(o *kms.Options) { o.Region = region })(ctx)
	}
}
