package engine

// Settings are a table's.
type Settings struct {
	DeletionProtection bool
	Tags               map[string]string
	TimeToLive         string
	Recovery           Recovery
}

func (t *table) current() Settings { return Settings{t.protect, t.tags, t.ttl, t.recovery} }

func (t *table) set(s Settings) {
	t.protect, t.tags, t.ttl, t.recovery = s.DeletionProtection, s.Tags, s.TimeToLive, s.Recovery
}
