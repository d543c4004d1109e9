package dynamodb

import (
	"streamgen/internal/local/attr"
	"streamgen/internal/local/engine"
)

type consumedCapacity struct {
	TableName              string
	CapacityUnits          float64
	ReadCapacityUnits      float64             `json:",omitempty"` // of transactions alone, as WriteCapacityUnits
	WriteCapacityUnits     float64             `json:",omitempty"`
	Table                  *capacity           `json:",omitempty"`
	GlobalSecondaryIndexes map[string]capacity `json:",omitempty"`
	LocalSecondaryIndexes  map[string]capacity `json:",omitempty"`
}

type capacity struct {
	CapacityUnits      float64
	ReadCapacityUnits  float64 `json:",omitempty"`
	WriteCapacityUnits float64 `json:",omitempty"`
}

// consumed gives as much of the consumed capacity as ReturnConsumedCapacity asks for.
func consumed(mode string, c engine.Consumed) *consumedCapacity {
	out := &consumedCapacity{TableName: c.Table, CapacityUnits: c.Total()}
	switch {
	case c.Table == "" || mode != "TOTAL" && mode != "INDEXES":
		return nil
	case mode == "TOTAL":
		return out
	}
	out.Table = &capacity{CapacityUnits: c.Units}
	for _, ix := range c.Indexes {
		kind := &out.GlobalSecondaryIndexes
		if ix.Local {
			kind = &out.LocalSecondaryIndexes
		}
		if *kind == nil {
			*kind = map[string]capacity{}
		}
		(*kind)[ix.Name] = capacity{CapacityUnits: ix.Units}
	}
	return out
}

func consumedByTable(mode string, list []engine.Consumed) []*consumedCapacity {
	var out []*consumedCapacity
	for _, c := range list {
		if one := consumed(mode, c); one != nil {
			out = append(out, one)
		}
	}
	return out
}

// consumedByTransaction says of each figure too whether it was for reading or for writing.
func consumedByTransaction(mode string, list []engine.Consumed, read bool) []*consumedCapacity {
	out := consumedByTable(mode, list)
	for _, c := range out {
		c.ReadCapacityUnits, c.WriteCapacityUnits = sides(c.CapacityUnits, read)
		if c.Table != nil {
			c.Table.ReadCapacityUnits, c.Table.WriteCapacityUnits = sides(c.Table.CapacityUnits, read)
		}
		for _, kind := range []map[string]capacity{c.GlobalSecondaryIndexes, c.LocalSecondaryIndexes} {
			for name, ix := range kind {
				ix.ReadCapacityUnits, ix.WriteCapacityUnits = sides(ix.CapacityUnits, read)
				kind[name] = ix
			}
		}
	}
	return out
}

func sides(units float64, read bool) (reading, writing float64) {
	if read {
		return units, 0
	}
	return 0, units
}

type itemCollectionMetrics struct {
	ItemCollectionKey   attr.Item
	SizeEstimateRangeGB [2]float64
}

// metricsOf gives a collection's size as the service tells it: between whole gigabytes. It is nil where the request did not ask.
func metricsOf(c engine.Collection) *itemCollectionMetrics {
	if c.Key == nil {
		return nil
	}
	gigabytes := float64(c.Bytes >> 30)
	return &itemCollectionMetrics{ItemCollectionKey: c.Key, SizeEstimateRangeGB: [2]float64{gigabytes, gigabytes + 1}}
}

func metricsByTable(collections map[string][]engine.Collection) map[string][]*itemCollectionMetrics {
	var out map[string][]*itemCollectionMetrics
	for table, list := range collections {
		if out == nil {
			out = map[string][]*itemCollectionMetrics{}
		}
		for _, c := range list {
			out[table] = append(out[table], metricsOf(c))
		}
	}
	return out
}
