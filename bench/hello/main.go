// Command hello is the least that a program in Go can be: the floor of starting one.
// With the argument "wait" it stays until its standard input ends.
package main

import (
	"io"
	"os"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "wait" {
		os.Stdout.WriteString("waiting\n")
		io.Copy(io.Discard, os.Stdin)
		return
	}
	os.Stdout.WriteString("hello\n")
}
