// Package arch holds the project's import rules as a table; its test walks every package and fails on an
// import that the table does not allow. The reasons for the table are in docs/design.md.
package arch
