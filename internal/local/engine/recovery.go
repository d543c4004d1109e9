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
	err = e.inspect(name, noBackedUp, func(t *table) error {
		r = t.settings.Recovery
		return nil
	})
	return r, err
}

// SetPointInTimeRecovery changes the setting.
func (e *Engine) SetPointInTimeRecovery(name string, enabled bool, days int) (r Recovery, err error) {
	err = e.configure(name, noBackedUp, func(t *table) error {
		switch {
		case !enabled:
			t.settings.Recovery = Recovery{}
		case t.settings.Recovery.Enabled:
			t.settings.Recovery.Days = days
		default:
			t.settings.Recovery = Recovery{Enabled: true, Days: days, Since: e.options.Clock.Now()}
		}
		r = t.settings.Recovery
		return nil
	})
	return r, err
}
