package tf

import (
	"cmp"
	"path"

	"github.com/hashicorp/go-version"
)

// Product is a program that streamgen drives, by the name of its executable.
type Product string

// The products. OpenTofu reads and writes what terraform does, as far as streamgen uses it.
const (
	ProductTerraform Product = "terraform"
	ProductOpenTofu  Product = "tofu"
)

// providerName is the only provider that generated configurations use, in the registry of either product.
const providerName = "hashicorp/aws"

// traits are what sets a product apart from the other.
type traits struct {
	// title is its name in a sentence.
	title string
	// oldest and below bound the versions that are known to work: the output that this package reads and the files that it writes
	// are promised to stay within a major version.
	oldest, below string
	// registry is the host that a provider comes from whose address names none.
	registry string
}

func (p Product) traits() traits {
	if p == ProductOpenTofu {
		// OpenTofu 1.10 has all that is used here; the modules that are generated require 1.11.
		return traits{title: "OpenTofu", oldest: "1.11.0", below: "2.0.0", registry: "registry.opentofu.org"}
	}
	return traits{title: "terraform", oldest: "1.11.0", below: "2.0.0", registry: "registry.terraform.io"}
}

// String gives the product's name in a sentence.
func (p Product) String() string { return p.traits().title }

// command is what a person types.
func (p Product) command() string { return string(cmp.Or(p, ProductTerraform)) }

// ProviderAddress is the full address of the AWS provider, as the product understands the source "hashicorp/aws".
func (p Product) ProviderAddress() string { return path.Join(p.traits().registry, providerName) }

// Supported gives the versions that streamgen works with, as a constraint.
func (p Product) Supported() string {
	t := p.traits()
	return ">= " + t.oldest + ", < " + t.below
}

// supports takes a pre-release for the version that it precedes.
func (p Product) supports(v *version.Version) bool {
	t, core := p.traits(), v.Core()
	return core.GreaterThanOrEqual(version.Must(version.NewVersion(t.oldest))) && core.LessThan(version.Must(version.NewVersion(t.below)))
}
