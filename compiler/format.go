// format: OPA's formatter over one file.
package main

import (
	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/format"
)

type formatAnswer struct {
	Text string `json:"text"`
}

func formatText(req *request) any {
	text, err := format.SourceWithOpts(req.Path, []byte(req.Text), format.Opts{RegoVersion: ast.RegoV1})
	if err != nil {
		return explain(err)
	}
	return formatAnswer{Text: string(text)}
}
