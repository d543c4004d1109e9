package spec

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"streamgen/internal/diag"
)

// The parser works per key of a map on all keys before it, so the number of a map's keys is bounded beside the size.
const (
	maxSize  = 8 << 20
	maxKeys  = 5_000
	maxDepth = 32
	// maxRefused is how many uses of anchors and the like are reported before the rest of the file is not looked at.
	maxRefused = 100
)

// Load reads a spec. file is the name that positions carry; src is the file's content. The findings are sorted and hold
// everything that is wrong at once, each with its line and column. The Spec is nil when the findings have an error.
func Load(file string, src []byte) (*Spec, diag.Findings) {
	d := newDecoder(file, src)
	s := d.load(src)
	if d.findings.Failed() {
		s = nil
	}
	return s, d.findings.Sorted()
}

func (d *decoder) load(src []byte) *Spec {
	text, ok := d.text(src)
	if !ok {
		return nil
	}
	tokens := lexer.Tokenize(strings.ReplaceAll(text, "\t", " "))
	if !d.tabs(text, tokens) || !d.tokens(tokens) || !d.escapes(text, tokens) {
		return nil
	}
	root := d.parse(tokens)
	if root == nil {
		return nil
	}
	v := value{node: root, pos: d.start(root), what: "the spec"}
	v.keyPos = v.pos
	if !d.version(v) {
		return nil
	}
	d.profile(v)
	s := specObject.decode(d, v)
	d.check(&s)
	return &s
}

// text checks the bytes and gives them as text without a byte order mark.
func (d *decoder) text(src []byte) (string, bool) {
	start := d.at(1, 1)
	if len(src) > maxSize {
		d.report(codeFileTooLarge, start, "Split the project: one spec per system that is applied together.",
			"the file has %d bytes, more than the 8 MiB that a spec may have", len(src))
		return "", false
	}
	if !utf8.Valid(src) {
		d.report(codeNotUTF8, d.invalidByte(src), "Save the file as UTF-8.", "the file is not UTF-8 text")
		return "", false
	}
	if rest, found := bytes.CutPrefix(src, []byte("\uFEFF")); found {
		d.report(codeByteOrderMark, start, "Save the file as UTF-8 without a byte order mark (BOM).",
			"the file starts with a byte order mark")
		src = rest
	}
	text := strings.ReplaceAll(string(src), "\r\n", "\n")
	line, column := 1, 1
	for _, r := range text {
		if r != '\n' && r != '\t' && unseen(r) {
			d.report(codeControlCharacter, d.at(line, column),
				"Remove it.", "the file holds the control character %U", r)
			return "", false
		}
		column++
		if r == '\n' {
			line, column = line+1, 1
		}
	}
	return text, true
}

func (d *decoder) invalidByte(src []byte) diag.Position {
	line, column := 1, 1
	for len(src) > 0 {
		r, size := utf8.DecodeRune(src)
		if r == utf8.RuneError && size == 1 {
			break
		}
		column++
		if r == '\n' {
			line, column = line+1, 1
		}
		src = src[size:]
	}
	return d.at(line, column)
}

// unseen reports whether a character is a control character or an invisible mark.
func unseen(r rune) bool { return unicode.IsControl(r) || r == '\uFEFF' }

// tabs refuses tabs outside comments. The text was split into tokens with spaces in their place, so that the lexer, which
// drops tabs from values and from its columns, never sees one. It reports whether the structure can be trusted.
func (d *decoder) tabs(text string, tokens token.Tokens) bool {
	if !strings.Contains(text, "\t") {
		return true
	}
	comments := map[int]int{}
	for _, tk := range tokens {
		if tk.Type == token.CommentType {
			comments[tk.Position.Line] = tk.Position.Column
		}
	}
	var indentation, elsewhere []diag.Position
	number := 0
	for line := range strings.Lines(text) {
		number++
		runes := []rune(line)
		if column, ok := comments[number]; ok && column <= len(runes) {
			runes = []rune(strings.TrimRight(string(runes[:column-1]), " \t"))
		}
		first := strings.IndexRune(string(runes), '\t')
		if first < 0 {
			continue
		}
		lead := string(runes)[:first]
		at := d.at(number, utf8.RuneCountInString(lead)+1)
		if strings.TrimLeft(lead, " ") == "" {
			indentation = append(indentation, at)
		} else {
			elsewhere = append(elsewhere, at)
		}
	}
	if n := len(indentation); n > 0 {
		d.report(codeTabIndentation, indentation[0], "Indent with spaces."+furtherLines(n-1),
			"a tab character indents this line, and YAML allows only spaces there")
	}
	if n := len(elsewhere); n > 0 {
		defer func() {
			for _, at := range elsewhere {
				d.spoilt[at.Line] = true
			}
		}()
		d.report(codeTabCharacter, elsewhere[0],
			`Write a space, or \t inside double quotes where the value needs a tab.`+furtherLines(n-1),
			"a tab character stands outside a comment")
	}
	return len(indentation) == 0
}

func furtherLines(n int) string {
	switch n {
	case 0:
		return ""
	case 1:
		return " One more line has such a tab."
	default:
		return fmt.Sprintf(" %d more lines have such a tab.", n)
	}
}

// tokens refuses what YAML offers and a spec does not use, before anything is parsed or expanded, and bounds what the
// parser gets. It reports whether parsing may go on.
func (d *decoder) tokens(tokens token.Tokens) bool {
	type place struct {
		line int
		kind token.Type
	}
	refused := map[place]bool{}
	flow, dashes, line := 0, 0, 0
	keys := keyCount{}
	for _, tk := range tokens {
		if tk.Position.Line != line {
			line, dashes = tk.Position.Line, 0
		}
		switch tk.Type {
		case token.MappingValueType:
			keys.add(tk, flow)
		case token.MappingStartType, token.SequenceStartType:
			flow++
		case token.MappingEndType, token.SequenceEndType:
			flow--
		case token.SequenceEntryType, token.MappingKeyType:
			dashes++
		}
		if keys.most > maxKeys {
			d.report(codeFileTooLarge, d.token(tk), "Split the project: one spec per system that is applied together.",
				"the map has more than %d keys", maxKeys)
			return false
		}
		if flow+dashes > maxDepth {
			d.report(codeTooDeep, d.token(tk), "A spec needs no more than five levels.",
				"values nest more than %d deep", maxDepth)
			return false
		}
		merge := tk.Type == token.AliasType && refused[place{line, token.MergeKeyType}]
		if !merge && !refused[place{line, tk.Type}] && d.refuse(tk) {
			refused[place{line, tk.Type}] = true
		}
		if len(refused) > maxRefused {
			return false
		}
	}
	return true
}

// keyCount counts the keys of maps as far as tokens tell them apart: in blocks by their column, and all those of a line in
// braces as one map.
type keyCount struct {
	columns []int
	braces  int
	line    int
	most    int
}

// add counts the key before a colon.
func (k *keyCount) add(colon *token.Token, flow int) {
	sameLine := colon.Position.Line == k.line
	k.line = colon.Position.Line
	if flow > 0 || sameLine {
		k.braces++
		k.most = max(k.most, k.braces)
		return
	}
	k.braces = 0
	column := colon.Position.Column
	if key := colon.Prev; key != nil {
		column = key.Position.Column
	}
	column = min(max(column, 0), 1<<16)
	if column >= len(k.columns) {
		k.columns = append(k.columns, make([]int, column+1-len(k.columns))...)
	}
	clear(k.columns[column+1:])
	k.columns[column]++
	k.most = max(k.most, k.columns[column])
}

// refuse reports whether it refused a token.
func (d *decoder) refuse(tk *token.Token) bool {
	const literal = " If the character is meant, put the value in quotes."
	at := d.token(tk)
	switch tk.Type {
	case token.AnchorType:
		d.report(codeAnchor, at, "Remove it and write the value where it is used."+literal, "'&' makes a YAML anchor, which a spec may not have")
	case token.AliasType:
		d.report(codeAnchor, at, "Write the value out."+literal, "'*' makes a YAML alias, which a spec may not have")
	case token.MergeKeyType:
		d.report(codeAnchor, at, "Write the keys out.", "'<<' makes a YAML merge key, which a spec may not have")
	case token.TagType:
		d.report(codeYAMLTag, at, "Remove it; put the value in quotes if it is text.", "'!' makes a YAML tag, which a spec may not have")
	case token.MappingKeyType:
		d.report(codeComplexKey, at, `Write "key: value".`, "'?' makes a complex YAML key, which a spec may not have")
	case token.DirectiveType:
		if tk.Position.Column == 1 {
			d.report(codeDirective, at, "Remove the line.", "'%%' makes a YAML directive, which a spec may not have")
		} else {
			d.report(codeSyntax, at, "Put the value in quotes.", "a value that is not in quotes cannot start with '%%'")
		}
	default:
		return false
	}
	return true
}

// parse gives the root of the only document, nil if there is none to decode.
func (d *decoder) parse(tokens token.Tokens) ast.Node {
	refused := d.refusedLines()
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		d.syntax(err, refused)
		return nil
	}
	docs := slices.DeleteFunc(file.Docs, func(doc *ast.DocumentNode) bool {
		_, directive := doc.Body.(*ast.DirectiveNode)
		return directive
	})
	if len(docs) > 1 {
		second := docs[1]
		at := second.Start
		if at == nil && second.Body != nil {
			at = second.Body.GetToken()
		}
		d.report(codeSeveralDocuments, d.token(at), "Keep one document per file: remove the '---' or '...' and what follows it.",
			"a second YAML document starts here")
	}
	if len(docs) == 0 || docs[0].Body == nil || docs[0].Body.Type() == ast.NullType {
		if !d.findings.Failed() {
			d.report(codeEmptyFile, d.at(1, 1), `Start with the keys version, project and region; "gen init" writes a starter spec.`,
				"the file holds no spec")
		}
		return nil
	}
	return docs[0].Body
}

func (d *decoder) syntax(err error, refused map[int]bool) {
	var syntax *yaml.SyntaxError
	if !errors.As(err, &syntax) || syntax.Token == nil {
		d.report(codeSyntax, d.at(1, 1), "Check the file with a YAML-aware editor.", "the file is not YAML: %v", err)
		return
	}
	at := d.token(syntax.Token)
	if refused[at.Line] {
		return
	}
	summary, detail := explain(syntax.Message)
	d.report(codeSyntax, at, detail, "%s", summary)
}
