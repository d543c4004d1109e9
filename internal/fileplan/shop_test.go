package fileplan

import (
	"testing"

	"streamgen/internal/spec"
)

const customerKey = "arn:aws:kms:us-east-1:123456789012:key/1"

// shop is a spec of the tables orders and customers and of the handler ship, which reads the stream of orders, with
// the defaults that spec.Load gives; change makes the case.
func shop(change func(s *spec.Spec, h *spec.Handler)) *spec.Spec {
	s := &spec.Spec{
		Project: "shop", Settings: spec.Settings{Region: "us-east-1"},
		Tables: []spec.Table{shopTable("orders"), shopTable("customers")},
		Handlers: []spec.Handler{{
			Name: "ship", FunctionName: "ship-v1", MemorySize: 128, Timeout: 30, EphemeralStorage: 512, Architecture: "arm64", EMFMetrics: true,
			ReservedConcurrentExecutions: -1, LogGroup: spec.LogGroup{RetentionInDays: 30, Class: "STANDARD"},
			Logging: spec.Logging{Format: "Text"}, Alarms: spec.Alarms{IteratorAge: 600_000},
			Origin: spec.Origin{Path: "handlers.ship", Pos: at(10)},
		}},
	}
	s.Handlers[0].Sources = []spec.Source{shopSource("orders")}
	change(s, &s.Handlers[0])
	return s
}

func shopTable(name string) spec.Table {
	return spec.Table{
		Name: name, TableName: name, HashKey: "Id", Attributes: []spec.Attribute{{Name: "Id", Type: spec.String}},
		BillingMode: "PAY_PER_REQUEST", StreamViewType: "NEW_AND_OLD_IMAGES", Origin: spec.Origin{Path: "tables." + name},
	}
}

// shopSource is a mapping as it is where the handler sets all of its keys.
func shopSource(table string) spec.Source {
	return spec.Source{
		Table: table, StartingPosition: "TRIM_HORIZON", BatchSize: 100, ParallelizationFactor: 1, BisectBatchOnFunctionError: true,
		MaximumRetryAttempts: 10, MaximumRecordAge: 43_200, ReportBatchItemFailures: true, Enabled: true,
		OnFailure: spec.OnFailure{Type: "none"}, Origin: spec.Origin{Path: "handlers.ship", Pos: at(10)},
	}
}

// override makes production an environment in which keys of the handler differ.
func override(s *spec.Spec, change func(h *spec.Handler), keys ...string) {
	e := spec.Environment{Name: "prod", Settings: s.Settings, Tables: s.Tables, Handlers: []spec.Handler{s.Handlers[0]}}
	change(&e.Handlers[0])
	for _, key := range keys {
		e.Overrides = append(e.Overrides, spec.Override{Entry: "handlers.ship", Key: key})
	}
	s.Environments = append(s.Environments, e)
}

func shopHandler(t *testing.T, change func(s *spec.Spec, h *spec.Handler)) Handler {
	t.Helper()
	return newModule(shop(change)).Handlers[0]
}

// argument gives the value that a list of arguments sets.
func argument(list []Argument, name string) any {
	for _, a := range list {
		if a.Name == name {
			return a.Value
		}
	}
	return nil
}

// block gives the block of that name, empty if there is none.
func block(list []Block, name string) Block {
	for _, b := range list {
		if b.Name == name {
			return b
		}
	}
	return Block{}
}
