package differential

// knownDifference is one that is explained in docs/local.md.
type knownDifference struct {
	name string
	fits func(r request, ours, theirs answer) bool
}

var known = []knownDifference{}
