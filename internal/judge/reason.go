package judge

// why says in words why terraform deletes or replaces. Words that it learns later are left to [Finding.ActionReason].
func (c *change) why() string {
	if c.resource.DeposedKey != "" {
		return "A replacement that was interrupted left it behind."
	}
	switch string(c.resource.ActionReason) {
	case "delete_because_no_resource_config":
		return "The configuration does not have it any more."
	case "delete_because_no_module":
		return "The configuration does not have its module any more."
	case "delete_because_wrong_repetition":
		return "It has another address since count or for_each came or went; a moved block keeps it."
	case "delete_because_count_index":
		return "The count is smaller now."
	case "delete_because_each_key":
		return "for_each does not have its key any more."
	case "delete_because_no_move_target":
		return "It moves to an address that the configuration does not have."
	case "replace_because_cannot_update":
		return "It cannot be changed in place."
	case "replace_because_tainted":
		return "Terraform has it as tainted: its creation did not end well."
	case "replace_by_request":
		return "It was asked for with -replace."
	case "replace_by_triggers":
		return "Its replace_triggered_by names something that changes."
	}
	return ""
}

// order says how a replacement goes about it.
func (c *change) order() string {
	switch {
	case c.action != Replace:
		return ""
	case c.oldLives:
		return "The old one lives on without terraform."
	case c.createFirst:
		return "The new one is made first, then the old one is destroyed."
	}
	return "The old one is destroyed first, then the new one is made."
}
