package dynamodb

import (
	"streamgen/internal/local/engine"
	"streamgen/internal/local/wire"
)

const (
	provisioned   = "PROVISIONED"
	payPerRequest = "PAY_PER_REQUEST"
)

// capacityInput is what requests say of the capacity of a table or a global index.
type capacityInput struct {
	ProvisionedThroughput *provisionedThroughput
	OnDemandThroughput    *onDemandThroughput
	WarmThroughput        *warmThroughput
}

type provisionedThroughput struct{ ReadCapacityUnits, WriteCapacityUnits *int }

type onDemandThroughput struct {
	MaxReadRequestUnits  *int `json:",omitempty"`
	MaxWriteRequestUnits *int `json:",omitempty"`
}

type warmThroughput struct{ ReadUnitsPerSecond, WriteUnitsPerSecond *int }

// constraints are those of the members below a path, which is "" or ends in a dot.
func (in *capacityInput) constraints(at string) []constraint {
	var constraints []constraint
	if t := in.ProvisionedThroughput; t != nil {
		at := at + "provisionedThroughput."
		constraints = append(constraints,
			required(at+"writeCapacityUnits", t.WriteCapacityUnits != nil), between(at+"writeCapacityUnits", t.WriteCapacityUnits, 1, -1),
			required(at+"readCapacityUnits", t.ReadCapacityUnits != nil), between(at+"readCapacityUnits", t.ReadCapacityUnits, 1, -1))
	}
	if t := in.OnDemandThroughput; t != nil {
		constraints = append(constraints,
			maximum(at+"onDemandThroughput.maxReadRequestUnits", t.MaxReadRequestUnits),
			maximum(at+"onDemandThroughput.maxWriteRequestUnits", t.MaxWriteRequestUnits))
	}
	if t := in.WarmThroughput; t != nil {
		constraints = append(constraints,
			between(at+"warmThroughput.readUnitsPerSecond", t.ReadUnitsPerSecond, 1, -1),
			between(at+"warmThroughput.writeUnitsPerSecond", t.WriteUnitsPerSecond, 1, -1))
	}
	return constraints
}

// maximum wants a maximum that is there to be a number of units, or what takes the one away that was there.
func maximum(member string, value *int) constraint {
	if value != nil && *value == engine.NoLimit {
		return func() string { return "" }
	}
	return between(member, value, 1, -1)
}

// change is what the members ask for. The constraints hold.
func (in *capacityInput) change() (c engine.CapacityChange, err error) {
	const most = 1_000_000_000_000
	if t := in.ProvisionedThroughput; t != nil {
		c.Provisioned = &engine.Units{Read: *t.ReadCapacityUnits, Write: *t.WriteCapacityUnits}
		switch {
		case c.Provisioned.Read > most:
			return c, wire.Errorf("ValidationException", "Given value %d for ReadCapacityUnits is out of bounds", c.Provisioned.Read)
		case c.Provisioned.Write > most:
			return c, wire.Errorf("ValidationException", "Given value %d for WriteCapacityUnits is out of bounds", c.Provisioned.Write)
		}
	}
	if t := in.OnDemandThroughput; t != nil {
		c.Most = &engine.Units{Read: given(t.MaxReadRequestUnits), Write: given(t.MaxWriteRequestUnits)}
	}
	if t := in.WarmThroughput; t != nil {
		c.Warm = &engine.Units{Read: given(t.ReadUnitsPerSecond), Write: given(t.WriteUnitsPerSecond)}
	}
	return c, nil
}

// given is a number, 0 when there is none.
func given(n *int) int {
	if n == nil {
		return 0
	}
	return *n
}

// throughputDescription is zero for an on-demand table.
type throughputDescription struct {
	LastDecreaseDateTime   *wire.EpochSeconds `json:",omitempty"`
	LastIncreaseDateTime   *wire.EpochSeconds `json:",omitempty"`
	NumberOfDecreasesToday int
	ReadCapacityUnits      int
	WriteCapacityUnits     int
}

type warmThroughputDescription struct {
	ReadUnitsPerSecond  int
	WriteUnitsPerSecond int
	Status              string
}

// capacityDescription is what a table or global index says of its capacity.
type capacityDescription struct {
	ProvisionedThroughput throughputDescription
	OnDemandThroughput    *onDemandThroughput        `json:",omitempty"`
	WarmThroughput        *warmThroughputDescription `json:",omitempty"`
}

func describeCapacity(c engine.Capacity, onDemand bool) capacityDescription {
	warm := c.WarmThroughput(onDemand)
	return capacityDescription{
		ProvisionedThroughput: throughputDescription{
			LastDecreaseDateTime: wire.Moment(c.Decreased), LastIncreaseDateTime: wire.Moment(c.Increased), NumberOfDecreasesToday: c.Decreases,
			ReadCapacityUnits: c.Provisioned.Read, WriteCapacityUnits: c.Provisioned.Write,
		},
		OnDemandThroughput: describeMost(c.Most),
		WarmThroughput:     &warmThroughputDescription{ReadUnitsPerSecond: warm.Read, WriteUnitsPerSecond: warm.Write, Status: statusActive},
	}
}

// describeMost gives the maxima, of which one alone that is there has the other beside it as having none.
func describeMost(most engine.Units) *onDemandThroughput {
	if most == (engine.Units{}) {
		return nil
	}
	unlimited := func(n int) *int {
		if n == 0 {
			n = engine.NoLimit
		}
		return &n
	}
	return &onDemandThroughput{MaxReadRequestUnits: unlimited(most.Read), MaxWriteRequestUnits: unlimited(most.Write)}
}
