// The protocol, told natively: what a line of JSON is answered with.
package main

import (
	"encoding/json"
	"strings"
	"testing"
)

func answerTo(t *testing.T, line string) string {
	t.Helper()
	text, err := json.Marshal(answer([]byte(line)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestEveryLineIsAnswered(t *testing.T) {
	var answers strings.Builder
	lines := "{\"op\":\"version\"}\nnot json\n{\"op\":\"nothing\"}\n{\"op\":\"version\"}\n{\"op\":\"ver"
	if err := serve(strings.NewReader(lines), &answers); err != nil {
		t.Fatal(err)
	}
	got := strings.Split(strings.TrimSpace(answers.String()), "\n")
	if len(got) != 4 {
		t.Fatalf("4 complete lines were answered by %d", len(got))
	}
	for i, want := range []string{`{"opa":`, "bad_request", "unknown op `nothing`", `{"opa":`} {
		if !strings.Contains(got[i], want) {
			t.Errorf("line %d was answered with %s, not with %s", i+1, got[i], want)
		}
	}
}

func TestAWrongRequestIsAnError(t *testing.T) {
	for _, line := range []string{
		``, `null`, `[]`, `{}`, `{"op":1}`, `{"op":"build"}`, `{"op":"version"} {}`, `{"op":"version","more":1}`,
		`{"op":"build","modules":{"a.rego":1}}`, `{"op":"build","modules":[],"entrypoints":[]}`,
		`{"op":"build","modules":{"a.rego":"package a"},"entrypoints":[]}`,
		`{"op":"build","modules":{"a.rego":"package a"},"entrypoints":["a/b"]}`,
		`{"op":"check","modules":{"a.rego":"package a"},"capabilities":{"builtins":[{"name":"no.such"}]}}`,
		`{"op":"check","modules":{"a.rego":"package a"},"capabilities":{"builtins":[null]}}`,
		`{"op":"eval","modules":{"a.rego":"package a"},"query":"data.a["}`,
		`{"op":"eval","modules":{"a.rego":"package a"},"query":""}`,
		`{"op":"test","modules":{"a.rego":"package a"},"run":"("}`,
		`{"op":"format","path":"a.rego","text":"package"}`,
	} {
		if got := answerTo(t, line); !strings.HasPrefix(got, `{"errors":[{`) {
			t.Errorf("%s was answered with %s", line, got)
		}
	}
}

func TestNumbersKeepTheirDigits(t *testing.T) {
	got := answerTo(t, `{"op":"eval","modules":{"a.rego":"package a\nx := [input, data.n]"},`+
		`"query":"data.a.x","input":12345678901234567890,"data":{"n":0.10}}`)
	if got != `{"results":[[12345678901234567890,0.10]]}` {
		t.Error(got)
	}
}

func TestNullIsAnInputAndAbsentIsNone(t *testing.T) {
	for input, want := range map[string]string{`,"input":null`: `{"results":[null]}`, ``: `{"results":[]}`} {
		got := answerTo(t, `{"op":"eval","modules":{"a.rego":"package a"},"query":"input"`+input+`}`)
		if got != want {
			t.Errorf("input %q gives %s", input, got)
		}
	}
}

func TestACompiledModuleIsTheSameEveryTime(t *testing.T) {
	line := `{"op":"build","modules":{"b.rego":"package b\nx contains y if some y in input.z",` +
		`"a.rego":"package a\ny := data.b[input.v]"},"entrypoints":["a/y"]}`
	first := answerTo(t, line)
	if !strings.HasPrefix(first, `{"wasm":"AGFzbQ`) {
		t.Fatal(first)
	}
	for range 20 {
		if answerTo(t, line) != first {
			t.Fatal("two builds differ")
		}
	}
}
