package engine

import "time"

// Recovery is a table's point-in-time recovery. Recovering itself is not emulated: it only keeps the setting.
type Recovery struct {
	Enabled bool
	// Days that a recovery can reach back.
	Days int
	// Since is when it was enabled.
	Since time.Time
}

// PointInTimeRecovery tells of the setting.
func (e *Engine) PointInTimeRecovery(name string) (r Recovery, err error) {
	err = e.inspect(name, noTable, func(t *table) error {
		r = t.recovery
		return nil
	})
	return r, err
}

// SetPointInTimeRecovery changes the setting.
func (e *Engine) SetPointInTimeRecovery(name string, enabled bool, days int) (r Recovery, err error) {
	err = e.configure(name, noTable, func(t *table) error {
		switch {
		case !enabled:
			t.recovery = Recovery{}
		case t.recovery.Enabled:
			t.recovery.Days = days
		default:
			t.recovery = Recovery{Enabled: true, Days: days, Since: e.options.Clock.Now()}
		}
		r = t.recovery
		return nil
	})
	return r, err
}
