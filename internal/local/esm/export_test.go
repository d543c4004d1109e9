package esm

// LaneOf is the lane of a partition key.
func LaneOf(key string, lanes int) int { return laneOf(key, lanes) }
