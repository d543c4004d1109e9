package adopt

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"streamgen/internal/diag"
	"streamgen/internal/spec"
)

// Whatever AWS says of a table, within what gen.yaml can say, the entry loads without a finding and says the same.
func TestEveryEntryLoads(t *testing.T) {
	for seed := range uint64(600) {
		r := random{rand.New(rand.NewPCG(seed, 1))}
		table := r.table()
		o := Options{
			Name: r.name(), TableName: *table.Description.TableName, Minimal: r.one(2),
			DefaultTags: map[string]string{"Project": "shop", "ManagedBy": "streamgen"},
		}
		entry := table.Entry(o)
		base := "version: 1\nproject: shop\nregion: eu-west-1\n"
		if o.Minimal {
			base += "profile: minimal\n"
		}
		base += []string{"", "tables: {}\n", "tables:\n   another: {hash_key: Id, attributes: {Id: S}}\n", "tables: {another: {hash_key: Id, attributes: {Id: S}}}\n"}[r.IntN(4)]
		src, err := Insert([]byte(base), entry)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		s, findings := spec.Load("gen.yaml", src)
		if len(findings) > 0 {
			t.Fatalf("seed %d: %v\n%s", seed, findings, src)
		}
		got, ok := s.Table(o.Name)
		if !ok {
			t.Fatalf("seed %d: no table %q\n%s", seed, o.Name, src)
		}
		want := expected(table, o)
		slices.SortFunc(got.Attributes, func(a, b spec.Attribute) int { return strings.Compare(a.Name, b.Name) })
		if d := cmp.Diff(want, got, cmpopts.IgnoreTypes(diag.Position{}, map[string]diag.Position{}, spec.Origin{}), cmpopts.EquateEmpty()); d != "" {
			t.Fatalf("seed %d: %s\n%s", seed, d, src)
		}
	}
}

// expected is the table as the spec's model has it, from AWS's description without a detour over text.
func expected(table Table, o Options) spec.Table {
	d := table.Description
	out := spec.Table{
		Name: o.Name, TableName: o.TableName, HashKey: *d.KeySchema[0].AttributeName, UnknownAttributes: "skip", Import: true,
		BillingMode: "PAY_PER_REQUEST", TableClass: "STANDARD", RecoveryPeriodInDays: 35, TTLEnabled: true,
		DeletionProtection: aws.ToBool(d.DeletionProtectionEnabled), ContributorInsights: noInsights(),
		Autoscaling: unscaled(),
	}
	if len(d.KeySchema) > 1 {
		out.RangeKey = *d.KeySchema[1].AttributeName
	}
	for _, a := range d.AttributeDefinitions {
		out.Attributes = append(out.Attributes, spec.Attribute{Name: *a.AttributeName, Type: spec.AttributeType(a.AttributeType)})
	}
	slices.SortFunc(out.Attributes, func(a, b spec.Attribute) int { return strings.Compare(a.Name, b.Name) })
	if d.BillingModeSummary == nil {
		out.BillingMode = "PROVISIONED"
		out.Capacity = units(d.ProvisionedThroughput)
	}
	out.OnDemandThroughput = most(d.OnDemandThroughput)
	if d.TableClassSummary != nil {
		out.TableClass = string(d.TableClassSummary.TableClass)
	}
	if table.TTL.TimeToLiveStatus == types.TimeToLiveStatusEnabled {
		out.TTLAttribute = *table.TTL.AttributeName
	}
	if out.PointInTimeRecovery = table.Backups.PointInTimeRecoveryStatus == types.PointInTimeRecoveryStatusEnabled; out.PointInTimeRecovery {
		out.RecoveryPeriodInDays = int(*table.Backups.RecoveryPeriodInDays)
	}
	if s := d.SSEDescription; s != nil {
		out.ServerSideEncryption = true
		if table.CustomerKeys[*s.KMSMasterKeyArn] {
			out.KMSKeyARN = *s.KMSMasterKeyArn
		}
	}
	if d.StreamSpecification != nil {
		out.StreamViewType = string(d.StreamSpecification.StreamViewType)
	}
	for _, g := range d.GlobalSecondaryIndexes {
		index := spec.GlobalSecondaryIndex{
			Name: *g.IndexName, ProjectionType: string(g.Projection.ProjectionType), NonKeyAttributes: g.Projection.NonKeyAttributes,
			Capacity: units(g.ProvisionedThroughput), OnDemandThroughput: most(g.OnDemandThroughput), ContributorInsights: noInsights(), Autoscaling: unscaled(),
		}
		for _, k := range g.KeySchema {
			if k.KeyType == types.KeyTypeHash {
				index.HashKeys = append(index.HashKeys, *k.AttributeName)
			} else {
				index.RangeKeys = append(index.RangeKeys, *k.AttributeName)
			}
		}
		out.GlobalSecondaryIndexes = append(out.GlobalSecondaryIndexes, index)
	}
	for _, l := range d.LocalSecondaryIndexes {
		out.LocalSecondaryIndexes = append(out.LocalSecondaryIndexes, spec.LocalSecondaryIndex{
			Name: *l.IndexName, RangeKey: *l.KeySchema[1].AttributeName, ProjectionType: string(l.Projection.ProjectionType), NonKeyAttributes: l.Projection.NonKeyAttributes,
		})
	}
	for key, value := range table.Tags {
		if key != "Project" && (key != "ManagedBy" || value != "streamgen") && !strings.HasPrefix(key, "aws:") {
			out.Tags = append(out.Tags, spec.Tag{Key: key, Value: value})
		}
	}
	slices.SortFunc(out.Tags, func(a, b spec.Tag) int { return strings.Compare(a.Key, b.Key) })
	if mode, on := table.Insights[""]; on {
		out.ContributorInsights = spec.ContributorInsights{Enabled: true, Mode: string(mode)}
	}
	for region, r := range table.Replicas {
		out.Replicas = append(out.Replicas, spec.Replica{
			RegionName: region, KMSKeyARN: r.KMSKeyARN, PointInTimeRecovery: r.PointInTimeRecovery, DeletionProtection: r.DeletionProtection, ConsistencyMode: "EVENTUAL",
		})
	}
	slices.SortFunc(out.Replicas, func(a, b spec.Replica) int { return strings.Compare(a.RegionName, b.RegionName) })
	return out
}

func noInsights() spec.ContributorInsights {
	return spec.ContributorInsights{Mode: "ACCESSED_AND_THROTTLED_KEYS"}
}

// unscaled is what the spec has where it has no autoscaling: the defaults of a policy that is not there.
func unscaled() spec.Autoscaling {
	p := spec.ScalingPolicy{TargetValue: 70, ScaleInCooldown: 60, ScaleOutCooldown: 60}
	return spec.Autoscaling{Read: p, Write: p}
}

func units(p *types.ProvisionedThroughputDescription) spec.Capacity {
	if p == nil {
		return spec.Capacity{}
	}
	return spec.Capacity{Read: int(*p.ReadCapacityUnits), Write: int(*p.WriteCapacityUnits)}
}

func most(o *types.OnDemandThroughput) spec.OnDemandThroughput {
	if o == nil {
		return spec.OnDemandThroughput{}
	}
	return spec.OnDemandThroughput{MaxReadRequestUnits: max(0, int(*o.MaxReadRequestUnits)), MaxWriteRequestUnits: max(0, int(*o.MaxWriteRequestUnits))}
}

// random makes tables within what AWS allows.
type random struct{ *rand.Rand }

func (r random) one(in int) bool { return r.IntN(in) == 0 }

// name is one that tables and indexes may have; no name comes twice, for its last characters.
func (r random) name() string {
	words := []string{"true", "null", "orders", "1e3", "0x1F", "-1.5", "by.day", "_x", "No", "2024-01-01", ".5", "~a"}
	letters := "abcXYZ019_.-"
	var b strings.Builder
	b.WriteString(strings.Trim(words[r.IntN(len(words))], "~"))
	for range r.IntN(4) + 3 {
		b.WriteByte(letters[r.IntN(len(letters))])
	}
	fmt.Fprintf(&b, "%x", r.Uint32())
	return strings.ReplaceAll(b.String(), "..", "--")
}

// attribute is any text, as DynamoDB has it, that no other is equal to.
func (r random) attribute() string {
	pieces := []string{"a", "Z", "é", "日本", "🙂", " ", ": ", "#", " #", "'", `"`, `\`, "{", "}", "[", "]", ",", "&", "*", "!", "|", ">", "%", "@", "`", "-", "- ", "?", "? ", "=", "~", "0", ".", "$", "<<", "null", "\u2028", "\u00a0"}
	var b strings.Builder
	for range r.IntN(6) {
		b.WriteString(pieces[r.IntN(len(pieces))])
	}
	text := strings.NewReplacer("${", "", "%{", "").Replace(b.String())
	id := fmt.Sprintf("%x", r.Uint32())
	return []string{text + id, id + text}[r.IntN(2)]
}

func (r random) table() Table {
	d := &types.TableDescription{TableName: aws.String(r.name()), TableStatus: types.TableStatusActive, DeletionProtectionEnabled: aws.Bool(r.one(2))}
	t := Table{
		Description: d, Tags: map[string]string{}, Insights: map[string]types.ContributorInsightsMode{}, Replicas: map[string]*Replica{}, CustomerKeys: map[string]bool{},
		TTL: &types.TimeToLiveDescription{TimeToLiveStatus: types.TimeToLiveStatusDisabled}, Backups: &types.PointInTimeRecoveryDescription{PointInTimeRecoveryStatus: types.PointInTimeRecoveryStatusDisabled},
	}
	key := func() *string {
		name := r.attribute()
		d.AttributeDefinitions = append(d.AttributeDefinitions, types.AttributeDefinition{
			AttributeName: &name, AttributeType: []types.ScalarAttributeType{"S", "N", "B"}[r.IntN(3)],
		})
		return &name
	}
	d.KeySchema = []types.KeySchemaElement{{AttributeName: key(), KeyType: types.KeyTypeHash}}
	if r.one(2) {
		d.KeySchema = append(d.KeySchema, types.KeySchemaElement{AttributeName: key(), KeyType: types.KeyTypeRange})
	}
	provisioned := r.one(3)
	if provisioned {
		d.ProvisionedThroughput = r.capacity()
	} else {
		d.BillingModeSummary = &types.BillingModeSummary{BillingMode: types.BillingModePayPerRequest}
		d.OnDemandThroughput = r.onDemand()
	}
	if r.one(3) {
		d.TableClassSummary = &types.TableClassSummary{TableClass: []types.TableClass{types.TableClassStandard, types.TableClassStandardInfrequentAccess}[r.IntN(2)]}
	}
	if r.one(2) {
		t.TTL.TimeToLiveStatus, t.TTL.AttributeName = types.TimeToLiveStatusEnabled, aws.String(r.attribute())
	}
	if r.one(2) {
		t.Backups.PointInTimeRecoveryStatus, t.Backups.RecoveryPeriodInDays = types.PointInTimeRecoveryStatusEnabled, aws.Int32(1+r.Int32N(35))
	}
	if r.one(3) {
		arn := "arn:aws:kms:eu-west-1:123456789012:key/mrk-1"
		d.SSEDescription, t.CustomerKeys[arn] = &types.SSEDescription{Status: types.SSEStatusEnabled, KMSMasterKeyArn: &arn}, r.one(2)
	}
	if r.one(2) {
		views := []types.StreamViewType{types.StreamViewTypeKeysOnly, types.StreamViewTypeNewImage, types.StreamViewTypeOldImage, types.StreamViewTypeNewAndOldImages}
		d.StreamSpecification = &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: views[r.IntN(4)]}
		if d.StreamSpecification.StreamViewType == types.StreamViewTypeNewAndOldImages && r.one(2) {
			r.replicas(&t)
		}
	}
	for range r.IntN(4) {
		g := types.GlobalSecondaryIndexDescription{IndexName: aws.String(r.name()), IndexStatus: types.IndexStatusActive, Projection: r.projection()}
		for range 1 + r.IntN(4) {
			g.KeySchema = append(g.KeySchema, types.KeySchemaElement{AttributeName: key(), KeyType: types.KeyTypeHash})
		}
		for range r.IntN(5) {
			g.KeySchema = append(g.KeySchema, types.KeySchemaElement{AttributeName: key(), KeyType: types.KeyTypeRange})
		}
		if provisioned {
			g.ProvisionedThroughput = r.capacity()
		} else {
			g.OnDemandThroughput = r.onDemand()
		}
		d.GlobalSecondaryIndexes = append(d.GlobalSecondaryIndexes, g)
	}
	if len(d.KeySchema) > 1 {
		for range r.IntN(3) {
			d.LocalSecondaryIndexes = append(d.LocalSecondaryIndexes, types.LocalSecondaryIndexDescription{
				IndexName: aws.String(r.name()), Projection: r.projection(),
				KeySchema: []types.KeySchemaElement{d.KeySchema[0], {AttributeName: key(), KeyType: types.KeyTypeRange}},
			})
		}
	}
	if r.one(4) {
		t.Insights[""] = []types.ContributorInsightsMode{types.ContributorInsightsModeAccessedAndThrottledKeys, types.ContributorInsightsModeThrottledKeys}[r.IntN(2)]
	}
	r.tags(t.Tags)
	return t
}

func (r random) capacity() *types.ProvisionedThroughputDescription {
	return &types.ProvisionedThroughputDescription{ReadCapacityUnits: aws.Int64(1 + r.Int64N(40000)), WriteCapacityUnits: aws.Int64(1 + r.Int64N(40000))}
}

func (r random) onDemand() *types.OnDemandThroughput {
	limits := []int64{-1, 1, 40000, 1 + r.Int64N(40000)}
	if r.one(2) {
		return nil
	}
	return &types.OnDemandThroughput{MaxReadRequestUnits: &limits[r.IntN(4)], MaxWriteRequestUnits: &limits[r.IntN(4)]}
}

func (r random) projection() *types.Projection {
	p := &types.Projection{ProjectionType: []types.ProjectionType{types.ProjectionTypeAll, types.ProjectionTypeKeysOnly, types.ProjectionTypeInclude}[r.IntN(3)]}
	if p.ProjectionType == types.ProjectionTypeInclude {
		for range 1 + r.IntN(20) {
			p.NonKeyAttributes = append(p.NonKeyAttributes, r.attribute())
		}
	}
	return p
}

func (r random) replicas(t *Table) {
	for _, region := range []string{"us-east-1", "ap-south-2", "sa-east-1"}[:1+r.IntN(3)] {
		replica := &Replica{DeletionProtection: r.one(2), PointInTimeRecovery: r.one(2)}
		if r.one(2) {
			replica.KMSKeyARN = "arn:aws:kms:" + region + ":123456789012:key/1"
			t.CustomerKeys[replica.KMSKeyARN] = true
		}
		t.Replicas[region] = replica
	}
}

func (r random) tags(tags map[string]string) {
	letters := []string{"a", "Ü", "中", " ", "_", ".", ":", "/", "=", "+", "-", "@", "1", "true", ": ", "- "}
	text := func(most int) string {
		var b strings.Builder
		for range r.IntN(most) {
			b.WriteString(letters[r.IntN(len(letters))])
		}
		return b.String()
	}
	for range r.IntN(5) {
		tags[text(5)+fmt.Sprintf("%x", r.Uint32())] = text(8)
	}
	for key, values := range map[string][]string{"Project": {"shop", "other"}, "ManagedBy": {"streamgen", "terraform"}, "aws:cloudformation:stack-name": {"s"}} {
		if r.one(3) {
			tags[key] = values[r.IntN(len(values))]
		}
	}
}
