package engine

import (
	"slices"
	"strings"
	"time"
)

// Units are capacities for reading and writing, in units a second.
type Units struct{ Read, Write int }

// Capacity is what a table or a global index can take in a second, by its description: nothing is throttled.
type Capacity struct {
	// Provisioned is zero for an on-demand table.
	Provisioned Units
	// Increased and Decreased are when Provisioned was; zero when it never was.
	Increased, Decreased time.Time
	// Decreases are those of the day of Decreased, in UTC.
	Decreases int
	// Most is the limit of an on-demand table; 0 stands for none.
	Most Units
	// Warm is what was asked for; 0 stands for the default.
	Warm Units
}

// What an on-demand table can take at once when it is new. The terraform provider takes any other numbers for a setting.
const warmReads, warmWrites = 12000, 4000

// Limits of provisioned capacity. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
const (
	freeDecreases    = 4 // of a day; each further one needs an hour without any
	decreaseInterval = time.Hour
	// NoLimit as a maximum takes the one away that was there.
	NoLimit = -1
)

// WarmThroughput is what the table or index can take at once.
func (c Capacity) WarmThroughput(onDemand bool) Units {
	usual := c.Provisioned
	if onDemand {
		usual = Units{Read: warmReads, Write: warmWrites}
	}
	return Units{Read: max(usual.Read, c.Warm.Read), Write: max(usual.Write, c.Warm.Write)}
}

// DecreasesToday is how often the provisioned capacity was decreased on the UTC day of now.
func (c Capacity) DecreasesToday(now time.Time) int {
	const day = time.DateOnly
	if now.UTC().Format(day) != c.Decreased.UTC().Format(day) {
		return 0
	}
	return c.Decreases
}

// forget is the capacity of a table that is new: nothing happened to it yet.
func (c Capacity) forget() Capacity {
	c.Increased, c.Decreased, c.Decreases = time.Time{}, time.Time{}, 0
	return c
}

// CapacityChange describes a change of a capacity; what is nil, and a unit of Most or Warm that is 0, stays.
type CapacityChange struct {
	Provisioned *Units
	Most        *Units // NoLimit takes a limit away
	Warm        *Units
}

// IndexCapacity is a change of the capacity of one global index.
type IndexCapacity struct {
	Name string
	CapacityChange
}

// provision sets the provisioned capacity. what names the table or index in errors.
func (c *Capacity) provision(units Units, what string, now time.Time) error {
	old := c.Provisioned
	if units == old {
		return validation("The provisioned throughput for the %[1]s will not change. The requested value equals the current value. "+
			"Current ReadCapacityUnits provisioned for the %[1]s: %[2]d. Requested ReadCapacityUnits: %[3]d. "+
			"Current WriteCapacityUnits provisioned for the %[1]s: %[4]d. Requested WriteCapacityUnits: %[5]d. "+
			"Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits.",
			what, old.Read, units.Read, old.Write, units.Write)
	}
	if units.Read < old.Read || units.Write < old.Write {
		if err := c.mayDecrease(now); err != nil {
			return err
		}
		c.Decreases, c.Decreased = c.DecreasesToday(now)+1, now
	}
	if units.Read > old.Read || units.Write > old.Write {
		c.Increased = now
	}
	c.Provisioned = units
	return nil
}

func (c *Capacity) mayDecrease(now time.Time) error {
	next := c.Decreased.Add(decreaseInterval)
	if c.DecreasesToday(now) < freeDecreases || !now.Before(next) {
		return nil
	}
	const form = "Monday, January 2, 2006 3:04:05 PM UTC"
	return fail("LimitExceededException", "Subscriber limit exceeded: Provisioned throughput decreases are limited within a given UTC day. "+
		"After the first %d decreases, each subsequent decrease in the same UTC day can be performed at most once every %d seconds. "+
		"Number of decreases today: %d. Last decrease at %s. Next decrease can be made at %s",
		freeDecreases, int(decreaseInterval.Seconds()), c.DecreasesToday(now), c.Decreased.UTC().Format(form), next.UTC().Format(form))
}

// change applies what is no provisioned capacity. what names the table or index in errors, whose wording at AWS is not known.
func (c *Capacity) change(by CapacityChange, what string, onDemand bool) error {
	if by.Most != nil {
		if !onDemand {
			return validation(invalidParameters+"OnDemandThroughput of the %s can only be specified when BillingMode is PAY_PER_REQUEST", what)
		}
		limit(&c.Most.Read, by.Most.Read)
		limit(&c.Most.Write, by.Most.Write)
	}
	if by.Warm == nil {
		return nil
	}
	now := c.WarmThroughput(onDemand)
	if by.Warm.Read != 0 && by.Warm.Read < now.Read || by.Warm.Write != 0 && by.Warm.Write < now.Write {
		return validation(invalidParameters+"WarmThroughput of the %s cannot be decreased: it has ReadUnitsPerSecond %d and WriteUnitsPerSecond %d", what, now.Read, now.Write)
	}
	c.Warm = Units{Read: max(c.Warm.Read, by.Warm.Read), Write: max(c.Warm.Write, by.Warm.Write)}
	return nil
}

func limit(units *int, to int) {
	switch to {
	case 0:
	case NoLimit:
		*units = 0
	default:
		*units = to
	}
}

// settle makes the capacities of a new table and its indexes: those of a provisioned one must be given.
func (s *Settings) settle(c CreateTable) error {
	s.Indexes = map[string]Capacity{}
	if c.Capacity.Provisioned != nil {
		s.Provisioned = *c.Capacity.Provisioned
	}
	if err := s.change(c.Capacity, "table", s.OnDemand); err != nil {
		return err
	}
	for _, ix := range c.Indexes {
		if ix.Local {
			continue
		}
		at := slices.IndexFunc(c.IndexCapacities, func(ic IndexCapacity) bool { return ic.Name == ix.Name })
		var by CapacityChange
		if at >= 0 {
			by = c.IndexCapacities[at].CapacityChange
		}
		if err := s.addIndex(ix.Name, by); err != nil {
			return err
		}
	}
	return nil
}

// addIndex gives a new global index its capacity.
func (s *Settings) addIndex(name string, by CapacityChange) error {
	switch {
	case s.OnDemand && by.Provisioned != nil:
		return validation(invalidParameters+"ProvisionedThroughput should not be specified for index: %s when BillingMode is PAY_PER_REQUEST", name)
	case !s.OnDemand && by.Provisioned == nil:
		return noThroughput(name)
	}
	var c Capacity
	if by.Provisioned != nil {
		c.Provisioned = *by.Provisioned
	}
	if err := c.change(by, "index "+name, s.OnDemand); err != nil {
		return err
	}
	s.Indexes[name] = c
	return nil
}

func noThroughput(indexes ...string) error {
	return validation(invalidParameters+"ProvisionedThroughput must be specified for index: %s", strings.Join(indexes, ","))
}

// bill applies an update's billing mode and capacities. indexes are the table's, in their order.
func (s *Settings) bill(u UpdateTable, indexes []Index, now time.Time) error {
	was := s.OnDemand
	if u.OnDemand != nil {
		s.OnDemand = *u.OnDemand
	}
	if u.Capacity.Provisioned != nil && s.OnDemand {
		return validation(invalidParameters + "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST")
	}
	switch {
	case s.OnDemand && !was:
		s.toOnDemand(now)
	case !s.OnDemand && was:
		if err := s.toProvisioned(u, indexes); err != nil {
			return err
		}
	}
	if u.Capacity.Provisioned != nil {
		if err := s.provision(*u.Capacity.Provisioned, "table", now); err != nil {
			return err
		}
	}
	if err := s.change(u.Capacity, "table", s.OnDemand); err != nil {
		return err
	}
	for _, by := range u.IndexCapacities {
		c, found := s.Indexes[by.Name]
		if !found {
			return noIndex()
		}
		if by.Provisioned != nil {
			if s.OnDemand {
				return validation(invalidParameters+"ProvisionedThroughput should not be specified for index: %s when BillingMode is PAY_PER_REQUEST", by.Name)
			}
			if err := c.provision(*by.Provisioned, "index "+by.Name, now); err != nil {
				return err
			}
		}
		if err := c.change(by.CapacityChange, "index "+by.Name, s.OnDemand); err != nil {
			return err
		}
		s.Indexes[by.Name] = c
	}
	return nil
}

// toOnDemand takes the provisioned capacities away, which counts as a decrease of the indexes' own and not of the table's.
func (s *Settings) toOnDemand(now time.Time) {
	s.OnDemandSince = now
	s.Provisioned, s.Decreased = Units{}, time.Time{}
	for name, c := range s.Indexes {
		c.Decreases, c.Decreased = c.DecreasesToday(now)+1, now
		c.Provisioned = Units{}
		s.Indexes[name] = c
	}
}

// toProvisioned drops the limits of an on-demand table. Every index that stays needs a capacity.
func (s *Settings) toProvisioned(u UpdateTable, indexes []Index) error {
	var without []string
	for _, ix := range indexes {
		given := slices.ContainsFunc(u.IndexCapacities, func(by IndexCapacity) bool { return by.Name == ix.Name && by.Provisioned != nil })
		if !ix.Local && !given && ix.Name != u.DeleteIndex {
			without = append(without, ix.Name)
		}
	}
	if len(without) > 0 {
		return noThroughput(without...)
	}
	s.Most = Units{}
	for name, c := range s.Indexes {
		c.Most = Units{}
		s.Indexes[name] = c
	}
	return nil
}
