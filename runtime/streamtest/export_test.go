package streamtest

import "context"

// StopWithin ends the function's process as Stop does, in ctx's time.
func (f *Function) StopWithin(ctx context.Context) error { return f.process.stop(ctx) }
