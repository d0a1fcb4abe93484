// Requests: one closed set of operations, read strictly, answered whatever happens.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"runtime"

	"github.com/open-policy-agent/opa/v1/util"
	"github.com/open-policy-agent/opa/v1/version"
)

// request holds the fields of every operation; each operation reads its own.
type request struct {
	Op           string            `json:"op"`
	Modules      map[string]string `json:"modules"`
	Data         map[string]any    `json:"data"`
	Entrypoints  []string          `json:"entrypoints"`
	Capabilities *capabilities     `json:"capabilities"`
	Path         string            `json:"path"`
	Text         string            `json:"text"`
	Run          string            `json:"run"`
	Coverage     bool              `json:"coverage"`
	Vars         bool              `json:"vars"`
	Query        string            `json:"query"`
	Input        json.RawMessage   `json:"input"`
}

type versionAnswer struct {
	OPA string `json:"opa"`
	Go  string `json:"go"`
}

// answer never fails: what goes wrong, a panic included, is told as errors.
func answer(line []byte) (result any) {
	defer func() {
		if cause := recover(); cause != nil {
			result = failure("internal_error", fmt.Sprintf("the compiler panicked: %v", cause))
		}
	}()
	req, err := parseRequest(line)
	if err != nil {
		return failure("bad_request", err.Error())
	}
	return perform(req)
}

func parseRequest(line []byte) (*request, error) {
	var req request
	decoder := util.NewJSONDecoder(bytes.NewReader(line)) // keeps numbers as they are written
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&req); err != nil {
		return nil, fmt.Errorf("not a request: %w", err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, fmt.Errorf("not a request: more than one value on the line")
	}
	return &req, nil
}

func perform(req *request) any {
	switch req.Op {
	case "build":
		return build(req)
	case "check":
		return check(req)
	case "format":
		return formatText(req)
	case "test":
		return runTests(req)
	case "eval":
		return evaluate(req)
	case "version":
		return versionAnswer{OPA: version.Version, Go: runtime.Version()}
	}
	return failure("bad_request", fmt.Sprintf("unknown op `%s`", req.Op))
}
