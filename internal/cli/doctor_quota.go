package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"streamgen/internal/spec"
)

// unreservable is what an account must leave to functions without a reservation.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
const unreservable = 100

// concurrencyNeeds are what handlers take of an account's concurrency.
type concurrencyNeeds struct {
	// reserved is what is taken from others: reservations, and provisioned concurrency of functions without one.
	reserved int
	// batches is how many invocations are under way at once when every stream has one shard.
	batches int
}

func needsOf(h spec.Handler) concurrencyNeeds {
	n := concurrencyNeeds{reserved: h.ReservedConcurrentExecutions}
	if n.reserved < 0 {
		n.reserved = h.ProvisionedConcurrentExecutions
		for _, s := range h.Sources {
			n.batches += s.ParallelizationFactor
		}
	}
	return n
}

// concurrency compares the account's concurrency with what the spec reserves.
func (d *doctor) concurrency(ctx context.Context) []verdict {
	const what = "Lambda concurrency"
	a, err := d.signed()
	if err != nil {
		return []verdict{unasked(what, err)}
	}
	client := lambda.NewFromConfig(a.settings)
	got, err := client.GetAccountSettings(ctx, &lambda.GetAccountSettingsInput{})
	if err != nil {
		return []verdict{unanswered(what, err, "lambda:GetAccountSettings")}
	}
	if got.AccountLimit == nil {
		return []verdict{unmade(what, "AWS does not say the account's limit", "")}
	}
	_, handlers := d.entries()
	var needs concurrencyNeeds
	for _, h := range handlers {
		n := needsOf(h)
		needs.reserved += n.reserved
		needs.batches += n.batches
	}
	limit, free := int(got.AccountLimit.ConcurrentExecutions), int(aws.ToInt32(got.AccountLimit.UnreservedConcurrentExecutions))
	// What is free and asked for may be reserved by the spec's own functions already.
	if needs.reserved > 0 && needs.reserved > free-unreservable && needs.reserved <= limit-unreservable {
		held, err := d.held(ctx, client, handlers)
		if err != nil {
			return []verdict{unanswered(what, err, "lambda:GetFunctionConcurrency and lambda:GetProvisionedConcurrencyConfig")}
		}
		free += held
	}
	return []verdict{judgeConcurrency(what, limit, free, needs)}
}

// held is what the spec's functions have taken from others so far.
func (d *doctor) held(ctx context.Context, client *lambda.Client, handlers []spec.Handler) (int, error) {
	sum := 0
	for _, h := range handlers {
		n, err := heldBy(ctx, client, d.env.settings.NamePrefix+h.FunctionName, h)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

// heldBy is what a function has, if it is there, in the way that the spec has it.
func heldBy(ctx context.Context, client *lambda.Client, name string, h spec.Handler) (int, error) {
	var missing *lambdatypes.ResourceNotFoundException
	var none *lambdatypes.ProvisionedConcurrencyConfigNotFoundException
	switch {
	case h.ReservedConcurrentExecutions > 0:
		out, err := client.GetFunctionConcurrency(ctx, &lambda.GetFunctionConcurrencyInput{FunctionName: &name})
		if err == nil {
			return int(aws.ToInt32(out.ReservedConcurrentExecutions)), nil
		} else if !errors.As(err, &missing) {
			return 0, err
		}
	case h.ReservedConcurrentExecutions < 0 && h.ProvisionedConcurrentExecutions > 0:
		in := lambda.GetProvisionedConcurrencyConfigInput{FunctionName: &name, Qualifier: &h.Alias}
		out, err := client.GetProvisionedConcurrencyConfig(ctx, &in)
		if err == nil {
			return int(aws.ToInt32(out.RequestedProvisionedConcurrentExecutions)), nil
		} else if !errors.As(err, &missing) && !errors.As(err, &none) {
			return 0, err
		}
	}
	return 0, nil
}

// judgeConcurrency compares; free is what is not reserved, but for what the spec's own functions hold.
func judgeConcurrency(what string, limit, free int, needs concurrencyNeeds) verdict {
	found := fmt.Sprintf("the account has %d, of which %d are free to reserve; the spec reserves %d", limit, max(0, free-unreservable), needs.reserved)
	const do = "ask for more in Service Quotas (Concurrent executions), or reserve less: AWS keeps 100 for functions without a reservation"
	rest := free - needs.reserved
	switch {
	case needs.reserved > 0 && rest < unreservable:
		return verdict{problem, what, found, do}
	case needs.batches > rest:
		return verdict{warning, what, fmt.Sprintf("%s; its other mappings have %d batches under way at once, and %d are left for all functions", found, needs.batches, rest), "ask for more in Service Quotas (Concurrent executions), or records wait"}
	}
	return ok(what, "%s", found)
}

// units are capacity of tables and their indexes.
type capacityUnits struct{ read, write int }

// capacity compares the account's quotas of provisioned capacity with the PROVISIONED tables of the spec.
func (d *doctor) capacity(ctx context.Context) []verdict {
	const what = "DynamoDB capacity"
	tables, _ := d.entries()
	needs := provisioned(tables)
	if len(needs) == 0 {
		return []verdict{ok(what, "no table of the spec is PROVISIONED")}
	}
	a, err := d.signed()
	if err != nil {
		return []verdict{unasked(what, err)}
	}
	got, err := dynamodb.NewFromConfig(a.settings).DescribeLimits(ctx, &dynamodb.DescribeLimitsInput{})
	if err != nil {
		return []verdict{unanswered(what, err, "dynamodb:DescribeLimits")}
	}
	account := capacityUnits{int(aws.ToInt64(got.AccountMaxReadCapacityUnits)), int(aws.ToInt64(got.AccountMaxWriteCapacityUnits))}
	table := capacityUnits{int(aws.ToInt64(got.TableMaxReadCapacityUnits)), int(aws.ToInt64(got.TableMaxWriteCapacityUnits))}
	return judgeCapacity(what, account, table, needs)
}

// provisionedTable is what a table and its indexes are given, and what they may grow to by autoscaling.
type provisionedTable struct {
	name        string
	given, most capacityUnits
}

func provisioned(tables []spec.Table) []provisionedTable {
	var list []provisionedTable
	for _, t := range tables {
		if t.BillingMode != "PROVISIONED" || t.Existing {
			continue
		}
		p := provisionedTable{name: t.Name}
		add := func(c spec.Capacity, s spec.Autoscaling) {
			p.given.read += c.Read
			p.given.write += c.Write
			p.most.read += max(c.Read, s.Read.MaxCapacity)
			p.most.write += max(c.Write, s.Write.MaxCapacity)
		}
		add(t.Capacity, t.Autoscaling)
		for _, g := range t.GlobalSecondaryIndexes {
			add(g.Capacity, g.Autoscaling)
		}
		list = append(list, p)
	}
	return list
}

// judgeCapacity compares what is given at once, and then what autoscaling may grow to. A table's quota holds for it and its indexes.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeLimits.html
func judgeCapacity(what string, account, table capacityUnits, needs []provisionedTable) []verdict {
	const do = "ask for more in Service Quotas, provision less, or use billing_mode PAY_PER_REQUEST"
	over := func(n, quota capacityUnits) bool { return n.read > quota.read || n.write > quota.write }
	in := func(n capacityUnits) string { return fmt.Sprintf("%d reads and %d writes", n.read, n.write) }
	var list []verdict
	var given, most capacityUnits
	for _, n := range needs {
		given = capacityUnits{given.read + n.given.read, given.write + n.given.write}
		most = capacityUnits{most.read + n.most.read, most.write + n.most.write}
		switch {
		case over(n.given, table):
			list = append(list, verdict{problem, what, fmt.Sprintf("tables.%s and its indexes have %s; the account allows a table %s", n.name, in(n.given), in(table)), do})
		case over(n.most, table):
			list = append(list, verdict{warning, what, fmt.Sprintf("tables.%s and its indexes grow to %s; the account allows a table %s", n.name, in(n.most), in(table)), do})
		}
	}
	switch {
	case over(given, account):
		list = append(list, verdict{problem, what, fmt.Sprintf("the tables of the spec have %s; the account has %s for all", in(given), in(account)), do})
	case over(most, account):
		list = append(list, verdict{warning, what, fmt.Sprintf("the tables of the spec grow to %s; the account has %s for all", in(most), in(account)), do})
	}
	if len(list) > 0 {
		return list
	}
	return []verdict{ok(what, "the spec has %s; the account has %s for all tables and %s for one", in(given), in(account), in(table))}
}

// usualTables is how many tables an account has in a region unless it asked for more.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
const usualTables = 2500

// tables counts the tables that are there, and those that the spec adds.
func (d *doctor) tables(ctx context.Context) verdict {
	const what = "DynamoDB tables"
	a, err := d.signed()
	if err != nil {
		return unasked(what, err)
	}
	there := map[string]bool{}
	pages := dynamodb.NewListTablesPaginator(dynamodb.NewFromConfig(a.settings), &dynamodb.ListTablesInput{})
	for pages.HasMorePages() && len(there) <= usualTables {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return unanswered(what, err, "dynamodb:ListTables")
		}
		for _, name := range page.TableNames {
			there[name] = true
		}
	}
	return judgeTables(what, there, d.tableNames())
}

// tableNames are those that the spec makes in the environment.
func (d *doctor) tableNames() []string {
	tables, handlers := d.entries()
	var names []string
	for _, t := range tables {
		if !t.Existing {
			names = append(names, d.env.settings.NamePrefix+t.TableName)
		}
	}
	for _, h := range handlers {
		if h.Idempotency {
			names = append(names, d.env.settings.NamePrefix+h.FunctionName+spec.IdempotencySuffix)
		}
	}
	return names
}

func judgeTables(what string, there map[string]bool, wanted []string) verdict {
	var missing []string
	for _, name := range wanted {
		if !there[name] {
			missing = append(missing, name)
		}
	}
	found := fmt.Sprintf("the account has %d in the region; of the spec's %d, %d missing", len(there), len(wanted), len(missing))
	if n := len(missing); n > 0 && n <= 3 {
		found += " (" + strings.Join(missing, ", ") + ")"
	}
	if len(there)+len(missing) > usualTables {
		return verdict{warning, what, found, fmt.Sprintf("an account has %d unless it asked for more: see Service Quotas (Maximum number of tables)", usualTables)}
	}
	return ok(what, "%s", found)
}
