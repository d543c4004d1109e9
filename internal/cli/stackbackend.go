package cli

import (
	"net/url"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"streamgen/internal/spec"
)

// stackBackend is the backend of a stack: that of the environment with another place for the state, beside it. docs/cli.md has the rules.
func stackBackend(b spec.Backend, stack string) spec.Backend {
	if stack == spec.MainStack {
		return b
	}
	b.Settings = slices.Clone(b.Settings)
	change := func(key, missing string, to func(string) string) {
		for i, s := range b.Settings {
			if text, isText := s.Value.(string); isText && s.Key == key {
				b.Settings[i].Value = to(text)
				return
			}
		}
		if missing != "" {
			b.Settings = append(b.Settings, spec.BackendSetting{Key: key, Value: missing})
		}
	}
	switch b.Type {
	case "s3", "azurerm":
		change("key", "", func(key string) string { return besideFile(key, stack) })
	case "gcs":
		change("prefix", stack, func(prefix string) string { return path.Join(prefix, stack) })
	case "local":
		change("path", besideFile("terraform.tfstate", stack), func(file string) string {
			if !filepath.IsAbs(file) && strings.HasPrefix(filepath.ToSlash(file), "../") {
				file = "../" + file // a stack's folder lies one level deeper than that of the main one
			}
			return besideFile(file, stack)
		})
	case "http":
		b.Settings = besideAddress(b.Settings, stack)
	case "remote":
		for i, s := range b.Settings {
			block, isBlock := s.Value.([]spec.BackendSetting)
			if s.Key != "workspaces" || !isBlock {
				continue
			}
			block = slices.Clone(block)
			for j, w := range block {
				switch name, _ := w.Value.(string); w.Key {
				case "name":
					block[j].Value = name + "-" + stack
				case "prefix":
					block[j].Value = name + stack + "-"
				}
			}
			b.Settings[i].Value = block
		}
	}
	return b
}

// besideFile puts a stack's name before the ending .tfstate, or at the end of a name without it.
func besideFile(name, stack string) string {
	base, isState := strings.CutSuffix(name, ".tfstate")
	if !isState {
		return name + "." + stack
	}
	return base + "." + stack + ".tfstate"
}

// besideAddress puts a stack's name at the end of the path of the address of a state. The addresses of its lock often go on from there, and
// then get the name in the same place.
func besideAddress(settings []spec.BackendSetting, stack string) []spec.BackendSetting {
	whole, bare := "", ""
	for _, s := range settings {
		if text, isText := s.Value.(string); isText && s.Key == "address" {
			whole = text
			bare, _, _ = strings.Cut(text, "?")
			bare = strings.TrimSuffix(bare, "/")
		}
	}
	for i, s := range settings {
		text, isText := s.Value.(string)
		if !isText || s.Key != "address" && s.Key != "lock_address" && s.Key != "unlock_address" {
			continue
		}
		if rest, goesOn := strings.CutPrefix(text, bare); goesOn && whole != "" && (rest == "" || strings.ContainsAny(rest[:1], "/?")) {
			settings[i].Value = bare + "-" + stack + rest
			continue
		}
		if u, err := url.Parse(text); err == nil {
			u.Path = strings.TrimSuffix(u.Path, "/") + "-" + stack
			settings[i].Value = u.String()
		}
	}
	return settings
}
