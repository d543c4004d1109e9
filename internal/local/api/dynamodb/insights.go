package dynamodb

import (
	"fmt"

	"streamgen/internal/local/engine"
	"streamgen/internal/local/wire"
)

const (
	allKeys       = "ACCESSED_AND_THROTTLED_KEYS"
	throttledKeys = "THROTTLED_KEYS"
)

type contributorInsightsInput struct {
	TableName string
	IndexName string
}

func (in *contributorInsightsInput) constraints() []constraint {
	if in.IndexName == "" {
		return nil
	}
	return named("indexName", in.IndexName)
}

type contributorInsightsSummary struct {
	ContributorInsightsMode   string `json:",omitempty"`
	ContributorInsightsStatus string
	IndexName                 string `json:",omitempty"`
	TableName                 string
}

func summarize(d engine.DescribedInsights) contributorInsightsSummary {
	out := contributorInsightsSummary{ContributorInsightsMode: d.Mode, ContributorInsightsStatus: "DISABLED", IndexName: d.Index, TableName: d.Table}
	if d.Enabled {
		out.ContributorInsightsStatus = "ENABLED"
	}
	return out
}

type describeContributorInsightsOutput struct {
	contributorInsightsSummary
	ContributorInsightsRuleList []string           `json:",omitempty"`
	LastUpdateDateTime          *wire.EpochSeconds `json:",omitempty"`
}

func (s service) describeContributorInsights(in *contributorInsightsInput) (*describeContributorInsightsOutput, error) {
	if err := checkTable(in.TableName, in.constraints()...); err != nil {
		return nil, err
	}
	d, err := s.engine.ContributorInsights(in.TableName, in.IndexName)
	if err != nil {
		return nil, err
	}
	return &describeContributorInsightsOutput{contributorInsightsSummary: summarize(d), ContributorInsightsRuleList: rules(d), LastUpdateDateTime: wire.Moment(d.Changed)}, nil
}

// rules are the names of the rules that count: of the partition keys and, where there are any, the sort keys, those that were
// accessed and those that were throttled.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/contributorinsights_HowItWorks.html
func rules(d engine.DescribedInsights) []string {
	if !d.Enabled {
		return nil
	}
	resource := d.Table
	if d.Index != "" {
		resource += "-" + d.Index
	}
	counted := []string{"PKT"}
	if d.Ranged {
		counted = append(counted, "SKT")
	}
	if d.Mode == allKeys {
		counted = append(counted, "PKC")
		if d.Ranged {
			counted = append(counted, "SKC")
		}
	}
	var names []string
	for _, what := range counted {
		names = append(names, fmt.Sprintf("DynamoDBContributorInsights-%s-%s-%d", what, resource, d.Changed.UnixMilli()))
	}
	return names
}

type updateContributorInsightsInput struct {
	contributorInsightsInput
	ContributorInsightsAction string
	ContributorInsightsMode   string
}

// updateContributorInsights answers with the state that AWS passes through: whatever is asked afterwards finds the change done.
func (s service) updateContributorInsights(in *updateContributorInsightsInput) (*contributorInsightsSummary, error) {
	constraints := append(in.constraints(),
		required("contributorInsightsAction", in.ContributorInsightsAction != ""),
		oneOf("contributorInsightsAction", in.ContributorInsightsAction, "ENABLE", "DISABLE"),
		oneOf("contributorInsightsMode", in.ContributorInsightsMode, allKeys, throttledKeys))
	if err := checkTable(in.TableName, constraints...); err != nil {
		return nil, err
	}
	mode, enable := in.ContributorInsightsMode, in.ContributorInsightsAction == "ENABLE"
	if mode == "" {
		mode = allKeys
	}
	d, err := s.engine.SetContributorInsights(in.TableName, in.IndexName, enable, mode)
	if err != nil {
		return nil, err
	}
	out := summarize(d)
	out.ContributorInsightsStatus = "DISABLING"
	if enable {
		out.ContributorInsightsStatus = "ENABLING"
	}
	return &out, nil
}

type listContributorInsightsInput struct {
	TableName  string
	MaxResults *int
	NextToken  string
}

type listContributorInsightsOutput struct {
	ContributorInsightsSummaries []contributorInsightsSummary
	NextToken                    string `json:",omitempty"`
}

func (s service) listContributorInsights(in *listContributorInsightsInput) (*listContributorInsightsOutput, error) {
	const most = 100
	constraints := []constraint{between("maxResults", in.MaxResults, 1, most)}
	if in.TableName != "" {
		constraints = append(constraints, tableName(in.TableName))
	}
	if err := check(constraints...); err != nil {
		return nil, err
	}
	all, err := s.engine.ListContributorInsights(in.TableName)
	if err != nil {
		return nil, err
	}
	limit := most
	if in.MaxResults != nil {
		limit = *in.MaxResults
	}
	place := func(d engine.DescribedInsights) string { return d.Table + "/" + d.Index }
	page, next := pageAfter(all, in.NextToken, limit, place)
	out := &listContributorInsightsOutput{ContributorInsightsSummaries: []contributorInsightsSummary{}, NextToken: next}
	for _, d := range page {
		out.ContributorInsightsSummaries = append(out.ContributorInsightsSummaries, summarize(d))
	}
	return out, nil
}

// pageAfter gives up to limit of the items, which ascend in their places, that lie after a place, and the last one's place when
// there are more.
func pageAfter[T any](all []T, after string, limit int, place func(T) string) (page []T, last string) {
	for i, item := range all {
		switch {
		case place(item) <= after:
		case len(page) < limit:
			page = append(page, all[i])
		default:
			return page, place(page[limit-1])
		}
	}
	return page, ""
}
