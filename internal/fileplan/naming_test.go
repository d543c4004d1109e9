package fileplan

import (
	"go/token"
	"testing"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2/hclsyntax"
)

func TestFieldName(t *testing.T) {
	for attribute, want := range map[string]string{
		"Id": "ID", "id": "ID", "ID": "ID", "orderId": "OrderID", "order_id": "OrderID", "order-url": "OrderURL",
		"order url": "OrderURL", "OrderURLs": "OrderURLs", "HTTPServer": "HTTPServer", "httpServer": "HTTPServer",
		"total": "Total", "Total": "Total", "totalAmount": "TotalAmount", "PK": "PK", "GSI1PK": "GSI1PK", "ttl": "TTL",
		"line1Total": "Line1Total", "utf8": "UTF8", "created_at_": "CreatedAt", "a.b/c:d#e": "ABCDE", "customer#id": "CustomerID",
		"2024": "X2024", "2nd_line": "X2ndLine", "_": "X", "$": "X", "名前": "X名前", "größe": "Größe", "über": "Über", "ß": "Xß",
		"unmarshal_image": "UnmarshalImageAttribute", "type": "Type", "e\u0301": "E",
		"a\nb": "AB", "*/": "X", "`": "X",
	} {
		if got := fieldName(attribute); got != want {
			t.Errorf("fieldName(%q) = %q, want %q", attribute, got, want)
		}
	}
}

func FuzzFieldName(f *testing.F) {
	for _, seed := range []string{"Id", "", "order_url", "ß", "\xff", "ǅ", "a\u200db"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, attribute string) {
		got := fieldName(attribute)
		if !token.IsIdentifier(got) || !token.IsExported(got) || !utf8.ValidString(got) {
			t.Errorf("fieldName(%q) = %q", attribute, got)
		}
	})
}

func TestPackageName(t *testing.T) {
	for name, want := range map[string]string{
		"orders": "orders", "Orders": "orders", "lambda-dynamodb-stream": "lambdadynamodbstream", "a.b": "ab",
		"2024": "table2024", "-x": "x", "_x": "x", "---": "table",
		"type": "typetable", "string": "stringtable", "len": "lentable", "main": "maintable", "init": "inittable",
		"stream": "streamtable", "context": "contexttable", "os": "ostable", "slog": "slogtable", "logger": "loggertable",
		"INTERNAL": "internaltable", "Vendor": "vendortable", "testdata": "testdatatable", "my_test": "mytest",
		"con": "contable", "COM1": "com1table", "lpt9": "lpt9table", "com10": "com10", "common": "common",
	} {
		if got := packageName(name, "table"); got != want {
			t.Errorf("packageName(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestLocalName(t *testing.T) {
	for name, want := range map[string]string{
		"orders": "orders", "Orders": "Orders", "a-b.c": "a_b_c", "2024": "_2024", "---": "___", "_x": "_x",
	} {
		got := LocalName(name)
		if got != want {
			t.Errorf("LocalName(%q) = %q, want %q", name, got, want)
		}
		if !hclsyntax.ValidIdentifier(got) {
			t.Errorf("LocalName(%q) = %q, which is no identifier", name, got)
		}
	}
}

// TestNoOverrideFiles: terraform would merge such a file into the others.
func TestNoOverrideFiles(t *testing.T) {
	for name, want := range map[string]string{
		"override": "generated/terraform/module/table_override_.tf", "my-Override": "generated/terraform/module/table_my_Override_.tf",
		"overrides": "generated/terraform/module/table_overrides.tf",
	} {
		if got := terraformFile("generated/terraform/module", "table", name); got != want {
			t.Errorf("terraformFile(%q) = %q, want %q", name, got, want)
		}
	}
}
