// The policy compiler: OPA's own packages behind one line of JSON in, one line of JSON out.
//
// It is built as WebAssembly and run by src/compile; built natively, the same program answers the same lines.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

func main() {
	answers := os.Stdout
	os.Stdout = os.Stderr // whatever a library prints must not pass for an answer
	if err := serve(os.Stdin, answers); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// serve answers each line in turn until the input ends.
func serve(requests io.Reader, answers io.Writer) error {
	in := bufio.NewReaderSize(requests, 1<<16)
	out := bufio.NewWriterSize(answers, 1<<16)
	for {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil // a line without its end was cut off: nobody is left to answer
		}
		if err != nil {
			return err
		}
		if _, err := out.Write(append(encode(answer(line)), '\n')); err != nil {
			return err
		}
		if err := out.Flush(); err != nil {
			return err
		}
	}
}

func encode(answer any) []byte {
	text, err := json.Marshal(answer)
	if err != nil {
		text, _ = json.Marshal(failure("internal_error", err.Error()))
	}
	return text
}
